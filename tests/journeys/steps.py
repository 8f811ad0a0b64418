"""Do what every journey begins with: register, sign in, sign out, as a person does."""

from citizen_account.bootstrap import Runtime
from tests.factories import PASSWORD, code_in, mailbox
from tests.pages import Visitor

JANA = "jana@example.sk"


async def begin(visitor: Visitor, email: str = JANA, language: str = "en") -> None:
    """Ask for a code; the page that takes it is open then."""
    await visitor.open(f"/{language}/register")
    visitor.fill({"#register-email": email})
    await visitor.press("#register-submit")


async def newest_code(runtime: Runtime, to: str = JANA) -> str:
    """Return the code of the newest message to the address."""
    letters = await mailbox(runtime)
    return code_in(next(letter for letter in letters if letter.to == to))


async def verify(visitor: Visitor, code: str) -> None:
    visitor.fill({"#code": code})
    await visitor.press("#verify")


async def register(
    visitor: Visitor, runtime: Runtime, email: str = JANA, language: str = "en"
) -> None:
    """Open an account; the browser is signed in then."""
    await begin(visitor, email, language)
    await verify(visitor, await newest_code(runtime, email))
    visitor.fill({"#given-name": "Jana", "#family-name": "Kováčová", "#password": PASSWORD})
    await visitor.press("#create-account")


async def sign_in(visitor: Visitor, email: str = JANA, password: str = PASSWORD) -> None:
    await visitor.open("/en/sign-in")
    visitor.fill({"#email": email, "#password": password})
    await visitor.press("#sign-in")


async def sign_out(visitor: Visitor) -> None:
    await visitor.press("#sign-out")
