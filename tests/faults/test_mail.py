"""Mail goes through a real mail server; what cannot be delivered is told in the account."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from citizen_account.bootstrap import Runtime
from citizen_account.domain.errands import Delivery
from citizen_account.mail import SmtpAddress
from tests.conftest import client_of
from tests.factories import Clock, work_off
from tests.journeys.steps import JANA, begin
from tests.pages import Visitor
from tests.postgres import free_port


@dataclass
class MailServer:
    """Take mail, or answer as a test asks."""

    answer: str = "250 OK"
    taken: list[Message] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802  # the name that aiosmtpd calls
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802  # as above
        assert isinstance(envelope.content, bytes)
        self.taken.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def mail_server() -> MailServer:
    return MailServer()


@pytest.fixture
async def city(runtime: Runtime, mail_server: MailServer) -> AsyncIterator[Runtime]:
    controller = Controller(mail_server, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        address = SmtpAddress.parse(f"smtp://127.0.0.1:{controller.port}")
        yield replace(runtime, mailer=runtime.mailer.through(address))
    finally:
        controller.stop()


@asynccontextmanager
async def visiting(city: Runtime) -> AsyncIterator[Visitor]:
    from citizen_account.app import create_app  # noqa: PLC0415  # see tests/conftest.py

    async with client_of(create_app(city)) as client:
        yield Visitor(client)


async def states(city: Runtime) -> dict[Delivery, int]:
    async with city.database.read() as uow:
        return dict(await uow.outbox.counts())


async def test_message_arrives_in_both_forms_and_the_readers_language(
    city: Runtime, mail_server: MailServer
) -> None:
    async with visiting(city) as visitor:
        await begin(visitor, language="sk")
        await work_off(city)
    [message] = mail_server.taken
    assert message["To"] == JANA
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@account.city.example>")
    assert {part.get_content_type() for part in message.walk()} >= {"text/plain", "text/html"}
    assert await states(city) == {Delivery.DONE: 1}


async def test_server_that_refuses_for_now_is_asked_again(
    city: Runtime, mail_server: MailServer, clock: Clock
) -> None:
    mail_server.answer = "451 try later"
    async with visiting(city) as visitor:
        await begin(visitor)
    await work_off(city)
    assert await states(city) == {Delivery.PENDING: 1}
    mail_server.answer = "250 OK"
    clock.now += timedelta(seconds=6)
    await work_off(city)
    assert await states(city) == {Delivery.DONE: 1}
    assert len(mail_server.taken) == 1


async def test_server_that_is_away_loses_nothing(runtime: Runtime) -> None:
    nowhere = SmtpAddress.parse(f"smtp://127.0.0.1:{free_port()}")
    city = replace(runtime, mailer=runtime.mailer.through(nowhere))
    async with visiting(city) as visitor:
        await begin(visitor)
    await work_off(city)
    assert await states(city) == {Delivery.PENDING: 1}


async def test_address_that_does_not_exist_raises_a_banner(
    city: Runtime, mail_server: MailServer
) -> None:
    async with visiting(city) as visitor:
        await begin(visitor)
        await work_off(city)
        code = _code_in(mail_server.taken[0])
        visitor.fill({"#code": code})
        await visitor.press("#verify")
        visitor.fill(
            {"#given-name": "J", "#family-name": "K", "#password": "four words and 1 more"}
        )
        await visitor.press("#create-account")
        mail_server.answer = "550 no such mailbox"
        await visitor.open("/en/privacy/close")
        await visitor.press("#close-account")
        await work_off(city)
        await visitor.open("/en/dashboard")
        assert "We cannot deliver your email" in visitor.text()
    assert (await states(city))[Delivery.PARKED] >= 1


def _code_in(message: Message) -> str:
    [plain] = [part for part in message.walk() if part.get_content_type() == "text/plain"]
    digits = [word.strip(".") for word in str(plain.get_content()).split()]  # type: ignore[attr-defined]  # an EmailMessage
    [code] = {word for word in digits if word.isdigit() and len(word) == 6}
    return code


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "mail.example:25"])
def test_setting_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="CITIZEN_SMTP_URL"):
        SmtpAddress.parse(url)


def test_user_and_password_are_read_from_the_setting() -> None:
    address = SmtpAddress.parse("smtps://jana%40city:p%40ss@mail.example")
    assert (address.user, address.password, address.port) == ("jana@city", "p@ss", 465)
    assert address.is_tls
