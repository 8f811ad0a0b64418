"""Compare a password with what is stored, as a sign-in does."""

from citizen_account.security.passwords import PasswordHasher, Verdict


async def verify(hasher: PasswordHasher, password: str, stored: str | None) -> Verdict:
    with hasher.place() as place:
        return await place.verify(password, stored)
