from __future__ import annotations

import secrets
from importlib.util import find_spec, module_from_spec

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf import argon2

from napari_medlabel.errors import InputError
from napari_medlabel.secret import passphrase as key_seal
from napari_medlabel.secret.passphrase import check_passphrase, opened, sealed

KEY = bytes(range(32))
WORDS = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real parameters are tried once; here they only cost time."""
    monkeypatch.setattr(key_seal, "MEMORY_KIB", 64)
    monkeypatch.setattr(key_seal, "ITERATIONS", 1)


def test_the_parameters_are_those_of_rfc_9106():
    # A copy of its own: to load the module anew would make other classes of its errors.
    spec = find_spec(key_seal.__name__)
    real = module_from_spec(spec)
    spec.loader.exec_module(real)
    assert (real.ITERATIONS, real.LANES, real.MEMORY_KIB) == (3, 4, 65536)
    box = real.sealed(KEY, WORDS, "a", secrets.token_bytes)
    assert (box["iterations"], box["lanes"], box["memory_kib"]) == (3, 4, 65536)
    assert len(bytes.fromhex(str(box["salt"]))) == 16
    assert real.opened(box, WORDS, "a") == KEY


def test_the_box_does_not_show_the_key():
    box = sealed(KEY, WORDS, "a", secrets.token_bytes)
    assert KEY.hex() not in str(box)
    assert box != sealed(KEY, WORDS, "a", secrets.token_bytes)


def test_another_passphrase_opens_nothing():
    box = sealed(KEY, WORDS, "a", secrets.token_bytes)
    with pytest.raises(InputError, match="does not open") as caught:
        opened(box, WORDS + "x", "a")
    assert "cannot be recovered" in caught.value.hint
    assert WORDS not in caught.value.message + caught.value.hint


def test_letters_with_accents_count_in_whatever_form_they_were_typed():
    box = sealed(KEY, "gru\u0308ne wiesen", "a", secrets.token_bytes)
    assert opened(box, "gr\u00fcne wiesen", "a") == KEY


@pytest.mark.parametrize(
    "change", [{"iterations": 2}, {"salt": "00" * 16}, {"nonce": "00" * 12}, {"more": 1}]
)
def test_what_stands_in_the_open_cannot_be_changed(change):
    box = sealed(KEY, WORDS, "a", secrets.token_bytes) | change
    with pytest.raises(InputError, match="does not open"):
        opened(box, WORDS, "a")
    with pytest.raises(InputError, match="does not open"):
        opened(sealed(KEY, WORDS, "a", secrets.token_bytes), WORDS, "b")


@pytest.mark.parametrize(
    "change",
    [
        {"kdf": "scrypt"},
        {"cipher": "none"},
        {"memory_kib": 1 << 40},
        {"memory_kib": True},
        {"iterations": 0},
        {"lanes": "4"},
        {"salt": 5},
        {"nonce": None},
    ],
)
def test_what_this_program_does_not_do_is_refused_before_it_costs_memory(change):
    box = sealed(KEY, WORDS, "a", secrets.token_bytes) | change
    with pytest.raises(InputError, match="sealed in another way"):
        opened(box, WORDS, "a")


def test_a_short_passphrase_is_refused():
    check_passphrase("12345678")
    with pytest.raises(InputError, match="at least 8"):
        sealed(KEY, "1234567", "a", secrets.token_bytes)


@pytest.mark.parametrize("error", [UnsupportedAlgorithm("no"), MemoryError()])
def test_where_argon2id_is_not_to_be_had_it_is_said(monkeypatch, error):
    def missing(**_: object) -> None:
        raise error

    monkeypatch.setattr(argon2, "Argon2id", missing)
    with pytest.raises(InputError, match="not to be had"):
        sealed(KEY, WORDS, "a", secrets.token_bytes)
