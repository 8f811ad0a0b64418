"""Say of each notice of the account what it tells the resident."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from citizen_account.domain.messages import Notice
from citizen_account.i18n import Message, m


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """What the notice is called, what it says, and what the link to its place says."""

    subject: Message
    body: Message
    action: Message


_TO_SECURITY = m("Open security")

NOTICE_WORDS: Mapping[Notice, NoticeWords] = MappingProxyType(
    {
        Notice.WELCOME: NoticeWords(
            m("Welcome to your city account"),
            m(
                "Your account is ready. Connect the city services that you use, and you see your "
                "applications, deadlines and rights in one place."
            ),
            m("Choose a service"),
        ),
        Notice.PASSWORD_CHANGED: NoticeWords(
            m("Your password was changed"),
            m("If it was you, you need not do anything. If not, set a new password and call us."),
            _TO_SECURITY,
        ),
        Notice.EMAIL_CHANGED: NoticeWords(
            m("Your email address was changed"),
            m("We now write to the new address. If it was not you, call us at once."),
            _TO_SECURITY,
        ),
        Notice.SERVICE_LINKED: NoticeWords(
            m("A service is connected: %(service)s"),
            m("You now see what this service knows about you. You can disconnect it at any time."),
            m("Open the service"),
        ),
        Notice.CONSENT_WITHDRAWN_FOR_YOU: NoticeWords(
            m("We withdrew access for you: %(service)s"),
            m("You asked us in writing to end this service's access to your data. It has ended."),
            m("See who sees my data"),
        ),
        Notice.CLOSING_ASKED: NoticeWords(
            m("Your account is going to be closed"),
            m("You have 14 days to change your mind. Until then everything works as before."),
            m("Keep my account"),
        ),
    }
)
