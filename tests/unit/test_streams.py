"""A sealed stream is read whole and unaltered, or refused."""

from io import BytesIO

import pytest

from citizen_account.security.streams import PIECE_BYTES, SealingWriter, StreamError, open_stream

SECRET = "a key that lies in another place"
PIECE = PIECE_BYTES + 16
HEADER = 32 + 32 + 8


def sealed(plain: bytes, secret: str = SECRET) -> bytes:
    target = BytesIO()
    writer = SealingWriter(target, secret)
    writer.write(plain)
    writer.finish()
    return target.getvalue()


def opened(stream: bytes, secret: str = SECRET) -> bytes:
    return b"".join(open_stream(BytesIO(stream), secret))


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 200_000])
def test_what_was_sealed_is_opened(size: int) -> None:
    plain = bytes(number % 251 for number in range(size))
    assert opened(sealed(plain)) == plain


def test_nothing_is_readable_and_no_two_are_alike() -> None:
    plain = b"a name that nobody else has" * 3
    assert plain[:27] not in sealed(plain)
    assert sealed(plain) != sealed(plain)


def test_another_key_is_named_as_the_reason() -> None:
    with pytest.raises(StreamError, match="another key"):
        opened(sealed(b"x"), "another key of thirty-two characters")


@pytest.mark.parametrize("kept", [0, 10, HEADER - 1, HEADER, HEADER + 5, HEADER + PIECE])
def test_stream_that_was_cut_is_refused(kept: int) -> None:
    """Also where it was cut between two pieces."""
    with pytest.raises(StreamError):
        opened(sealed(b"y" * 150_000)[:kept])


def test_pieces_cannot_be_moved_left_out_or_added() -> None:
    whole = sealed(b"z" * 150_000)
    head, body = whole[:HEADER], whole[HEADER:]
    first, second, last = body[:PIECE], body[PIECE : 2 * PIECE], body[2 * PIECE :]
    for forged in (second + first + last, first + last, first + second + last + last):
        with pytest.raises(StreamError):
            opened(head + forged)


@pytest.mark.parametrize("place", [0, 40, 70, HEADER, HEADER + 70_000])
def test_altered_byte_is_found(place: int) -> None:
    whole = bytearray(sealed(b"z" * 150_000))
    whole[place] ^= 1
    with pytest.raises(StreamError):
        opened(bytes(whole))
