"""Say in plain words how far a service has been told that somebody is signed out."""

from datetime import datetime

from citizen_account.domain.logout_deliveries import LogoutDelivery, Progress, progress_of
from citizen_account.i18n import Message, m

WORDS = {
    Progress.TOLD: m("Told"),
    Progress.NOT_YET: m("Not told yet"),
    Progress.FAILED: m("Could not be told"),
}


def progress_words(delivery: LogoutDelivery, now: datetime) -> Message:
    return WORDS[progress_of(delivery, now)]
