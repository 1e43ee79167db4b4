"""Patients' codes as a worker knows them: told with a task, never made by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Codes: TypeAlias = Mapping[tuple[str, str], str]
"""Code of a patient by issuer and Patient ID."""


class NeedsCodeError(Exception):
    """A worker met a patient whose code it was not told.

    Parameters
    ----------
    issuer, patient_id : str
        Whose code is needed. Never in the message.
    """

    def __init__(self, issuer: str, patient_id: str) -> None:
        super().__init__("The code of a patient is needed.")
        self.patient = issuer, patient_id


class KnownCodes:
    """The codes of patients that a worker was told; only the main process makes new ones."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], str] = {}

    def learn(self, codes: Codes) -> None:
        """Take over codes that came with a task."""
        self._codes.update(codes)

    def __call__(self, issuer: str, patient_id: str) -> str:
        """Return a patient's code.

        Raises
        ------
        NeedsCodeError
            When it is not known.
        """
        code = self._codes.get((issuer, patient_id))
        if code is None:
            raise NeedsCodeError(issuer, patient_id)
        return code
