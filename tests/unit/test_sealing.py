"""Sealed columns: readable by any key of the ring, only in their own place."""

import pytest

from citizen_account.security.sealing import DerivedKeys, Sealer, UnsealableError

OLD, NEW = "an old key that sealed before", "a new key that seals from now on"


def sealer(*keys: str) -> Sealer:
    return Sealer(keys, b"index key")


def test_newer_ring_opens_what_the_old_key_sealed() -> None:
    sealed = sealer(OLD).seal(b"Jana", "accounts.profile.1")
    ring = sealer(NEW, OLD)
    assert ring.open(sealed, "accounts.profile.1") == b"Jana"
    assert not ring.is_newest(sealed)
    assert ring.is_newest(ring.seal(b"Jana", "accounts.profile.1"))


def test_value_cannot_move_to_another_row() -> None:
    sealed = sealer(NEW).seal(b"Jana", "accounts.profile.1")
    with pytest.raises(UnsealableError):
        sealer(NEW).open(sealed, "accounts.profile.2")


@pytest.mark.parametrize("position", [0, 3, 8, 20, -1])
def test_altered_value_does_not_open(position: int) -> None:
    sealed = bytearray(sealer(NEW).seal(b"Jana", "here"))
    sealed[position] ^= 1
    with pytest.raises(UnsealableError):
        sealer(NEW).open(bytes(sealed), "here")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" * 16])
def test_stump_does_not_open(sealed: bytes) -> None:
    with pytest.raises(UnsealableError):
        sealer(NEW).open(sealed, "here")


def test_lost_key_does_not_open() -> None:
    with pytest.raises(UnsealableError):
        sealer(NEW).open(sealer(OLD).seal(b"Jana", "here"), "here")


def test_index_depends_on_the_kind_and_not_on_the_data_keys() -> None:
    assert sealer(OLD).index("jana", "email") == sealer(NEW).index("jana", "email")
    assert sealer(NEW).index("jana", "email") != sealer(NEW).index("jana", "phone")


def test_reference_is_sixteen_characters_and_pairwise() -> None:
    references = {sealer(NEW).reference(name, "account") for name in ("permits", "housing")}
    assert len(references) == 2
    assert {len(reference) for reference in references} == {16}


def test_derived_keys_differ_by_purpose() -> None:
    keys = DerivedKeys.of("x" * 40)
    assert len({keys.form, keys.index, keys.pairwise, keys.nonce}) == 4
