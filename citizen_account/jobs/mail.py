"""Send a message that a use case asked for."""

from citizen_account.bootstrap import Runtime
from citizen_account.domain.errands import Errand, next_try
from citizen_account.jobs.errands import Park, Retry
from citizen_account.mail import MailServerError, UndeliverableError
from citizen_account.storage.mailbox import Letter
from citizen_account.storage.outbox import read_mail


async def send_mail(runtime: Runtime, errand: Errand) -> None:
    """Deliver to the mail server, or to the development mailbox where none is configured."""
    mail = read_mail(runtime.sealer, errand)
    message = runtime.mailer.render(mail, message_id=errand.id, at=runtime.clock())
    if runtime.mailer.is_development_mailbox:
        letter = Letter(
            message.id, message.to, message.subject, message.text, message.html, message.at
        )
        async with runtime.database.begin() as uow:
            await uow.mailbox.add(letter)
        return
    try:
        await runtime.mailer.send(message)
    except UndeliverableError as error:
        await _tell_in_the_account(runtime, mail.to)
        raise Park(str(error)) from None
    except MailServerError as error:
        if next_try(errand, runtime.clock()) is None:
            await _tell_in_the_account(runtime, mail.to)
        raise Retry(str(error)) from None


async def _tell_in_the_account(runtime: Runtime, address: str) -> None:
    """Raise the banner that mail does not arrive, if the address belongs to an account."""
    async with runtime.database.begin() as uow:
        await uow.accounts.mark_mail_failing(address, uow.now)
