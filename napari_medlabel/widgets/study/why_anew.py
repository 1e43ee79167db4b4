"""Why a consensus takes the place of one that is settled: a question, and its code."""

from __future__ import annotations

from typing import Final

from qtpy.QtWidgets import QInputDialog, QWidget

REASONS: Final = {
    "CORRECTION": "What was settled is wrong",
    "QA_FEEDBACK": "A check of quality asked for it",
    "PROTOCOL": "The protocol asks for it",
    "OTHER": "Another reason",
}


def ask_why_anew(parent: QWidget) -> str:
    """Ask it; return the reason's code, empty for none after all."""
    words, is_sure = QInputDialog.getItem(
        parent,
        "Settle the case anew",
        "This case has a consensus already. The earlier version stays; the log has why. Why?",
        list(REASONS.values()),
        0,
        False,
    )
    return next((code for code, own in REASONS.items() if own == words), "") if is_sure else ""
