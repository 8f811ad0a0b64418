"""Say which clients may do without PKCE: an operator's own exceptions, which are soon forgotten."""

from collections.abc import Sequence

from citizen_account.storage.unit_of_work import UnitOfWork


async def exempted_clients(uow: UnitOfWork) -> Sequence[str]:
    """Return a line for each client without PKCE, for `doctor`."""
    return [
        f"Client {client.id} may sign residents in without PKCE (require_pkce: false): a stolen"
        " code is then stopped by its secret alone. Once its library sends a code_challenge, end"
        " the exemption."
        for client in await uow.clients.list_exempted()
        if not client.is_disabled
    ]
