"""Say who runs which errand. An event's follow-up has the event's code as its kind."""

from collections.abc import Mapping
from types import MappingProxyType

from citizen_account.domain.errands import MAIL
from citizen_account.jobs.errands import Handler
from citizen_account.jobs.mail import send_mail

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        MAIL: send_mail,
    }
)
