"""RFC 3161: somebody with a clock of their own signs that a code existed at a moment.

What is stamped is the list behind a code on paper, so one stamp covers every session. Needs
the extra ``[tsa]``; the token lies beside the list, as ``codes/<code>.tsr``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from napari_medlabel._optional import require
from napari_medlabel.audit.anchors.code import code_file, kept_listing
from napari_medlabel.errors import InputError
from napari_medlabel.io.files import write_bytes_aside

EXTRA: Final = "tsa"

_LARGEST: Final = 1 << 20
_SECONDS: Final = 30
_QUERY: Final = "application/timestamp-query"


def listing_of(root: Path, letters: str) -> bytes:
    """Return the list behind a code.

    Raises
    ------
    InputError
        When there is none, or it cannot be read.
    """
    listing = kept_listing(root, letters)
    if listing is None:
        raise InputError(
            "Nothing is known here of this code.",
            hint="Make one with `medlabel audit code`, or name the log's folder.",
        )
    return listing


def request_for(listing: bytes) -> bytes:
    """Return a request for a stamp on a list, DER; it holds a digest, not the list.

    Raises
    ------
    MissingPackageError
        Without the extra ``[tsa]``.
    """
    tsp = require("rfc3161_client", extra=EXTRA)
    builder = tsp.TimestampRequestBuilder().data(listing)
    sha256 = tsp.HashAlgorithm.SHA256
    der: bytes = (
        builder.hash_algorithm(sha256).cert_request(cert_request=True).build().as_bytes()
    )
    return der


def ask(url: str, request: bytes) -> bytes:
    """Return the answer of a time-stamping authority.

    Parameters
    ----------
    url : str
        http or https; a token is checked by its signature, not by its way here.
    request : bytes
        From `request_for`.

    Raises
    ------
    InputError
        When the address is none, or nobody answers there as RFC 3161 says.
    """
    from urllib.error import URLError
    from urllib.request import Request, urlopen

    if not url.lower().startswith(("http://", "https://")):
        raise InputError(
            "The address of a time-stamping authority begins with http:// or https://.",
            hint="Check --tsa.",
        )
    question = Request(url, data=request, headers={"Content-Type": _QUERY})  # noqa: S310
    try:
        with urlopen(question, timeout=_SECONDS) as answer:  # noqa: S310 - checked above
            data: bytes = answer.read(_LARGEST)
    except (URLError, OSError, ValueError) as err:
        raise InputError(
            f"The time-stamping authority did not answer ({type(err).__name__}).",
            hint="Check --tsa and the network; or write the request with --request, carry it "
            "there, and attach the answer with --attach.",
        ) from err
    return data


def _answer(data: bytes) -> Any:
    tsp = require("rfc3161_client", extra=EXTRA)
    try:
        return tsp.decode_timestamp_response(data)
    except ValueError as err:
        if "InvalidSetOrdering" in str(err):
            raise InputError(
                "The answer has its certificates in an order that the standard forbids.",
                hint="Ask an authority that sends its own certificate alone, or in the order "
                "of DER.",
            ) from err
        raise InputError(
            "A time-stamp response (RFC 3161) was expected, and something else came.",
            hint="Give the .tsr file as the time-stamping authority sent it.",
        ) from err


def claimed_at(data: bytes, listing: bytes) -> datetime:
    """Return the moment that a stamp on a list claims; its signature is not looked at.

    Parameters
    ----------
    data : bytes
        The response.
    listing : bytes
        What must have been stamped.

    Raises
    ------
    InputError
        When it is no response, a refusal, or a stamp on something else.
    MissingPackageError
        Without the extra ``[tsa]``.
    """
    from hashlib import sha256

    response = _answer(data)
    try:
        info = response.tst_info
        imprint, moment = info.message_imprint, info.gen_time
    except ValueError as err:
        raise InputError(
            "The time-stamping authority refused to stamp the code.",
            hint="Ask its operator; its answer has no token.",
        ) from err
    if imprint.message != sha256(listing).digest():
        raise InputError(
            "The stamp is on something else than the list behind this code.",
            hint="Attach the answer to the request that was made for this code.",
        )
    stamped: datetime = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return stamped.astimezone(UTC)


def stamped_at(data: bytes, listing: bytes, authorities: Sequence[Path]) -> datetime:
    """Return when a list was stamped, by an authority that is trusted.

    Parameters
    ----------
    data, listing : bytes
        As for `claimed_at`.
    authorities : sequence of Path
        PEM files with the certificates of those who are trusted, at least one.

    Raises
    ------
    InputError
        As `claimed_at`; and when a certificate cannot be read, or none of them vouches for
        the signature.
    MissingPackageError
        Without the extra ``[tsa]``.
    """
    from cryptography.x509 import load_pem_x509_certificates

    moment = claimed_at(data, listing)
    tsp = require("rfc3161_client", extra=EXTRA)
    builder = tsp.VerifierBuilder()
    try:
        for path in authorities:
            for certificate in load_pem_x509_certificates(path.read_bytes()):
                builder = builder.add_root_certificate(certificate)
        verifier = builder.build()
    except (OSError, ValueError) as err:
        raise InputError(
            "Certificates of a time-stamping authority were expected, in PEM.",
            hint="Check --ca: its operator publishes them.",
        ) from err
    try:
        verifier.verify_message(_answer(data), listing)
    except (tsp.VerificationError, ValueError) as err:
        raise InputError(
            "None of the given certificates vouches for the stamp, or the stamp was changed.",
            hint="Check --ca. Where it is the right authority, do not rely on this stamp.",
        ) from err
    return moment


def stamp_path(root: Path, letters: str) -> Path:
    """Return where the stamp of a code lies."""
    return (root / code_file(letters)).with_suffix(".tsr")


def attach(root: Path, letters: str, data: bytes) -> datetime:
    """Keep a stamp beside the list behind a code, and return the moment that it claims.

    Raises
    ------
    InputError
        As `claimed_at`; and when the code has a stamp already.
    SaveError
        When it cannot be written.
    """
    path = stamp_path(root, letters)
    if path.exists():
        raise InputError(
            "This code has a stamp already, and nothing is overwritten.",
            hint="Make a new code, or move the stamp away.",
        )
    moment = claimed_at(data, listing_of(root, letters))
    write_bytes_aside(path, data)
    return moment
