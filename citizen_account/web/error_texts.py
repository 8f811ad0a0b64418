"""Say of each error which status it has and what the reader can do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

from citizen_account.domain.errors import ErrorCode
from citizen_account.i18n import Message, m


@dataclass(frozen=True, slots=True)
class ErrorText:
    """The status of RFC 9110, a title, and what happened with what to do now."""

    status: HTTPStatus
    title: Message
    advice: Message


_START_AGAIN = m("Go back to the service and start again. Nothing was shared.")

ERROR_TEXTS: Mapping[ErrorCode, ErrorText] = MappingProxyType(
    {
        ErrorCode.NOT_FOUND: ErrorText(
            HTTPStatus.NOT_FOUND,
            m("This page does not exist"),
            m("Check the address, or go to your overview and look for the page there."),
        ),
        ErrorCode.METHOD_NOT_ALLOWED: ErrorText(
            HTTPStatus.METHOD_NOT_ALLOWED,
            m("This page cannot be opened like this"),
            m("Go to your overview and open the page from there."),
        ),
        ErrorCode.REQUEST_MALFORMED: ErrorText(
            HTTPStatus.BAD_REQUEST,
            m("We could not read what was sent"),
            m("Nothing was saved. Go back, check what you typed and send it again."),
        ),
        ErrorCode.REQUEST_TOO_LARGE: ErrorText(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            m("What was sent is too large"),
            m("Nothing was saved. Go back, shorten the text and send it again."),
        ),
        ErrorCode.CONTENT_TYPE_UNSUPPORTED: ErrorText(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            m("We could not read what was sent"),
            m("Nothing was saved. Send the form from its page."),
        ),
        ErrorCode.HOST_UNKNOWN: ErrorText(
            HTTPStatus.MISDIRECTED_REQUEST,
            m("The account does not live at this address"),
            m("Open the account from the city's own website."),
        ),
        ErrorCode.TOO_BUSY: ErrorText(
            HTTPStatus.SERVICE_UNAVAILABLE,
            m("Many people are signing in just now"),
            m("Nothing was lost. Wait a few seconds and send the form again."),
        ),
        ErrorCode.UNEXPECTED: ErrorText(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            m("We made a mistake"),
            m("Nothing was saved. We have a record of it. Try again, or call us."),
        ),
        ErrorCode.FORM_FORGED: ErrorText(
            HTTPStatus.FORBIDDEN,
            m("This form is out of date"),
            m("Nothing was saved. Open the page again and send the form from there."),
        ),
        ErrorCode.SIGN_IN_REQUIRED: ErrorText(
            HTTPStatus.UNAUTHORIZED,
            m("Sign in first"),
            m("You see this page after you sign in."),
        ),
        ErrorCode.ROLE_REQUIRED: ErrorText(
            HTTPStatus.FORBIDDEN,
            m("This page is for the city's administrators"),
            m("If you should see it, ask the account's operator for the role."),
        ),
        ErrorCode.TOO_MANY_TRIES: ErrorText(
            HTTPStatus.TOO_MANY_REQUESTS,
            m("Too many tries"),
            m("Wait a few minutes and try again. You can also come in person."),
        ),
        ErrorCode.LINK_EXPIRED: ErrorText(
            HTTPStatus.GONE,
            m("This link is no longer valid"),
            m("Start again from the sign-in page and we send you a new code."),
        ),
        ErrorCode.TOKEN_INVALID: ErrorText(
            HTTPStatus.UNAUTHORIZED,
            m("The access token is missing or does not hold"),
            m("Ask the token endpoint for a new access token."),
        ),
        ErrorCode.TOKEN_INSUFFICIENT: ErrorText(
            HTTPStatus.FORBIDDEN,
            m("The access token does not open this"),
            m("Ask for a token with the scope that the challenge names."),
        ),
        ErrorCode.INTERACTION_UNKNOWN: ErrorText(
            HTTPStatus.BAD_REQUEST,
            m("We do not know what you were signing in to"),
            _START_AGAIN,
        ),
        ErrorCode.CLIENT_UNKNOWN: ErrorText(
            HTTPStatus.BAD_REQUEST,
            m("We do not know the service that sent you"),
            _START_AGAIN,
        ),
        ErrorCode.REQUEST_URI_INVALID: ErrorText(
            HTTPStatus.BAD_REQUEST,
            m("The service's request has expired or was answered already"),
            _START_AGAIN,
        ),
        ErrorCode.REDIRECT_URI_UNREGISTERED: ErrorText(
            HTTPStatus.BAD_REQUEST,
            m("The service sent you with an address that it has not registered"),
            _START_AGAIN,
        ),
        ErrorCode.ID_TOKEN_HINT_INVALID: ErrorText(
            HTTPStatus.BAD_REQUEST,
            m("The service could not prove who is to be signed out"),
            m("You are still signed in here. Sign out with the button at the top of the page."),
        ),
        ErrorCode.POST_LOGOUT_REDIRECT_URI_UNREGISTERED: ErrorText(
            HTTPStatus.BAD_REQUEST,
            m("The service sent you with an address that it has not registered"),
            m("You are still signed in here. Sign out with the button at the top of the page."),
        ),
        ErrorCode.CONSENT_UNKNOWN: ErrorText(
            HTTPStatus.NOT_FOUND,
            m("There is no such access"),
            m("Open the privacy page to see who has access to your data."),
        ),
        ErrorCode.CONNECTOR_UNKNOWN: ErrorText(
            HTTPStatus.NOT_FOUND,
            m("There is no such service"),
            m("Open the list of services and choose one there."),
        ),
        ErrorCode.CONNECTION_UNKNOWN: ErrorText(
            HTTPStatus.NOT_FOUND,
            m("This service is not connected"),
            m("Open the list of services and connect it there."),
        ),
        ErrorCode.CASE_UNKNOWN: ErrorText(
            HTTPStatus.NOT_FOUND,
            m("There is no such application"),
            m("Open your overview to see your applications."),
        ),
    }
)
CODE_OF_STATUS: Mapping[int, ErrorCode] = MappingProxyType(
    {
        HTTPStatus.UNAUTHORIZED: ErrorCode.TOKEN_INVALID,
        HTTPStatus.FORBIDDEN: ErrorCode.TOKEN_INSUFFICIENT,
        HTTPStatus.NOT_FOUND: ErrorCode.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED: ErrorCode.METHOD_NOT_ALLOWED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ErrorCode.REQUEST_TOO_LARGE,
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ErrorCode.CONTENT_TYPE_UNSUPPORTED,
    }
)
