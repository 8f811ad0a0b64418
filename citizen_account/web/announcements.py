"""Say what each announcement of the account tells the resident."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from citizen_account.domain.messages import Announcement
from citizen_account.i18n import Message, m


@dataclass(frozen=True, slots=True)
class Words:
    """What it is called, what it says, and what the link to its place says."""

    subject: Message
    body: Message
    action: Message


_TO_SECURITY = m("Open security")

ANNOUNCEMENTS: Mapping[Announcement, Words] = MappingProxyType(
    {
        Announcement.WELCOME: Words(
            m("Welcome to your city account"),
            m(
                "Your account is ready. Connect the city services that you use, and you see your "
                "applications, deadlines and rights in one place."
            ),
            m("Choose a service"),
        ),
        Announcement.PASSWORD_CHANGED: Words(
            m("Your password was changed"),
            m("If it was you, you need not do anything. If not, set a new password and call us."),
            _TO_SECURITY,
        ),
        Announcement.EMAIL_CHANGED: Words(
            m("Your email address was changed"),
            m("We now write to the new address. If it was not you, call us at once."),
            _TO_SECURITY,
        ),
        Announcement.SERVICE_LINKED: Words(
            m("A service is connected: %(service)s"),
            m("You now see what this service knows about you. You can disconnect it at any time."),
            m("Open the service"),
        ),
        Announcement.CASE_MOVED: Words(
            m("Your application has moved on: %(case)s"),
            m("There is news at this service: %(service)s. Open the application to see it."),
            m("Open the application"),
        ),
        Announcement.CONSENT_WITHDRAWN_FOR_YOU: Words(
            m("We withdrew access for you: %(service)s"),
            m("You asked us in writing to end this service's access to your data. It has ended."),
            m("See who sees my data"),
        ),
        Announcement.CLOSING_ASKED: Words(
            m("Your account is going to be closed"),
            m("You have 14 days to change your mind. Until then everything works as before."),
            m("Keep my account"),
        ),
    }
)
