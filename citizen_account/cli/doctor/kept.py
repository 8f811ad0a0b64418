"""Look into the database: its tables, its keys, who is in it, and whether a worker runs."""

from collections.abc import Sequence
from datetime import timedelta

from citizen_account import migrations
from citizen_account.cli.doctor.findings import Line, Site, State, fail, ok, warn
from citizen_account.cli.exempted import exempted_clients
from citizen_account.demo.personas import PERSONAS
from citizen_account.domain.errands import Delivery
from citizen_account.domain.keys import ROTATE_EVERY, KeyState
from citizen_account.security.sealing import UnsealableError
from citizen_account.usecases.keys import list_keys

MOST_SKEW = timedelta(seconds=2)
WORKER_SILENCE = timedelta(minutes=5)
ROTATION_DELAY = timedelta(days=2)


async def check_database(site: Site) -> Sequence[Line]:
    await site.runtime.database.is_alive()
    steps = await migrations.pending_steps(site.settings.database_url.get_secret_value())
    if not steps:
        return ok("The database answers and has the tables of this version.")
    return fail(
        f"{len(steps)} migrations are pending.",
        "This version expects other tables.",
        "Run: citizen-account db upgrade.",
    )


async def check_clock(site: Site) -> Sequence[Line]:
    there = await site.runtime.database.time()
    if there is None:
        return ok("The database is on this machine and goes by its clock.")
    skew = abs(there - site.runtime.clock())
    if skew <= MOST_SKEW:
        return ok("This machine's clock and the database's agree.")
    return fail(
        f"This machine's clock and the database's differ by {skew.total_seconds():.0f} s.",
        "Codes, tokens and sessions end too early or too late, and services refuse our signatures.",
        "Let both follow a time server (NTP).",
    )


async def check_keys(site: Site) -> Sequence[Line]:
    try:
        async with site.runtime.database.read() as uow:
            places, now = await list_keys(uow), uow.now
    except UnsealableError:
        return fail(
            "No key of CITIZEN_DATA_KEY opens the signing keys.",
            "Nobody can sign in, and no personal data can be read.",
            "Put the key that sealed them back into the ring, behind the newest one.",
        )
    active = [place.key for place in places if place.state is KeyState.ACTIVE]
    if not active:
        return fail(
            "There are no signing keys.", "No service accepts a sign-in.", "Run: db upgrade."
        )
    due = min(key.active_from for key in active) + ROTATE_EVERY
    has_next = any(place.state is KeyState.NEXT for place in places)
    if due + ROTATION_DELAY < now and not has_next:
        return warn(
            f"The signing keys were due to be rotated on {due:%Y-%m-%d}.",
            "The worker does so by itself: perhaps none runs.",
            "Start the worker, or run: citizen-account keys rotate.",
        )
    return ok(f"{len(active)} signing keys are in force; the next rotation: {due:%Y-%m-%d}.")


async def check_worker(site: Site) -> Sequence[Line]:
    async with site.runtime.database.read() as uow:
        is_silent = await uow.schedule.is_due("seal_trail", uow.now - WORKER_SILENCE)
        counts = await uow.outbox.counts()
    if is_silent:
        return warn(
            "No worker has been at work for five minutes.",
            "Mail waits, services are not called back, nothing is cleaned up.",
            "Start `citizen-account worker`, or one process of `serve` with the worker inside.",
        )
    parked = counts.get(Delivery.PARKED, 0)
    if parked:
        return warn(
            f"{parked} errands wait for a person.",
            "They are not tried again by themselves.",
            "See why at /admin/outbox, and try them again there.",
        )
    return ok("A worker is at work, and nothing waits for a person.")


async def check_people(site: Site) -> Sequence[Line]:
    """Find the small city's people, whose passwords are public."""
    if not site.is_production:
        return []
    async with site.runtime.database.read() as uow:
        for persona in PERSONAS:
            if await uow.accounts.find_by_email(persona.address) is not None:
                return fail(
                    f"{persona.email}, a person of the small city, has an account.",
                    "The password stands in the documentation; one of these people administrates.",
                    "Begin with an empty database: this one was made by `demo`.",
                )
    return ok("Nobody of the small city is here.")


async def check_administrators(site: Site) -> Sequence[Line]:
    async with site.runtime.database.read() as uow:
        count = await uow.roles.count_administrators()
    if count:
        return ok(f"{count} people administrate.")
    return warn(
        "Nobody administrates yet.",
        "Nobody sees what waits for a person.",
        "Register as everybody does, then run: citizen-account admin grant EMAIL administrator.",
    )


async def check_exemptions(site: Site) -> Sequence[Line]:
    async with site.runtime.database.read() as uow:
        exempted = await exempted_clients(uow)
    return [Line(State.WARN, line) for line in exempted] or ok("Every client uses PKCE.")
