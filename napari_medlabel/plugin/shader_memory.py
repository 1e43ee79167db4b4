"""Shaders: vispy searches the text of each program for its variables; here once for each text.

It is a third of the first drawing of a view, in the thread of the window; every layer, letter
and bar of a further view has the same texts as in the first one.
"""

from __future__ import annotations

import functools
import sys
from collections import OrderedDict
from typing import Any, Final

_MODULE: Final = "vispy.gloo.program"
_NAME: Final = "_parse_variables_from_code"
_MARK: Final = "__medlabel_remembers__"
_MOST: Final = 256
"""Programs of a window with four views are about eighty, of 10 kB each."""


def remember_shaders() -> bool:
    """Let vispy remember what it found in a shader's text; again does nothing more.

    Returns
    -------
    bool
        False where there is no window, or a vispy that does it otherwise: it stays as it is.
    """
    owner = getattr(sys.modules.get(_MODULE), "Program", None)
    original = None if owner is None else vars(owner).get(_NAME)
    if original is None or not hasattr(owner, "_process_pending_variables"):
        return False
    if hasattr(original, _MARK):
        return True
    known: OrderedDict[tuple[str, ...], dict[str, Any]] = OrderedDict()

    def parse(self: Any, update_variables: bool = True) -> None:
        text = tuple(shader.code for shader in self._shaders)
        found = known.get(text)
        if found is None:
            original(self, update_variables=False)
            known[text] = dict(self._code_variables)
            if len(known) > _MOST:
                known.popitem(last=False)
        else:
            known.move_to_end(text)
            self._code_variables = dict(found)
        if update_variables:
            self._process_pending_variables()

    functools.update_wrapper(parse, original)
    setattr(parse, _MARK, known)
    setattr(owner, _NAME, parse)
    return True
