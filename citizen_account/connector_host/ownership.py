"""Compare whose records a source gave with whose were asked for."""

from citizen_account.connector_sdk.models import Answer, Erasure, Export

PUBLIC = ""


class ForeignRecordError(Exception):
    """Something of somebody else is in the answer. Says nothing else."""


def require_own(answer: object, subject: str) -> None:
    """Refuse an answer unless all of it belongs to the subject; "" asks for public records.

    Raises:
        ForeignRecordError: also where an answer leaves its owner open.

    """
    match answer:
        case Answer(records=records, subject=answered):
            owners = {getattr(record, "subject", answered) for record in records} | {answered}
        case Export(subject=answered) | Erasure(subject=answered):
            owners = {answered}
        case _:
            return
    if owners != {subject}:
        raise ForeignRecordError
