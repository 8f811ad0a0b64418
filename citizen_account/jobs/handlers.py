"""Say who runs which errand. An event's follow-up has the event's code as its kind."""

from collections.abc import Mapping
from types import MappingProxyType

from citizen_account.domain.errands import MAIL
from citizen_account.domain.events import ConsentWithdrawn, SignedOut
from citizen_account.jobs.backchannel_logout import (
    deliver_logout,
    follow_sign_out,
    follow_withdrawal,
)
from citizen_account.jobs.connections import finish_link, tell_of_unlinking
from citizen_account.jobs.errands import Handler
from citizen_account.jobs.mail import send_mail
from citizen_account.usecases.backchannel_logout import DELIVER_JOB
from citizen_account.usecases.connections import UNLINK_JOB
from citizen_account.usecases.linking import FINISH_LINK_JOB

HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        MAIL: send_mail,
        SignedOut.code: follow_sign_out,
        ConsentWithdrawn.code: follow_withdrawal,
        DELIVER_JOB: deliver_logout,
        FINISH_LINK_JOB: finish_link,
        UNLINK_JOB: tell_of_unlinking,
    }
)
