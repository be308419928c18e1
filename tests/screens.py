"""A screen for what a program paints: the sequences that ours use, and no others."""

from __future__ import annotations

import re

from agentctl.table.layout import breadth


class Screen:
    """The cells of a terminal. `alternate`: the screen for whole pictures is up; `plain` is what went to the other."""

    def __init__(self, width: int, height: int) -> None:
        self.cells = [[" "] * width for _ in range(height)]
        self.styles = [[""] * width for _ in range(height)]
        self.touched = 0
        self.alternate = self.hidden = False
        self.wraps = True
        self.plain = ""
        self._at = (0, 0)
        self._style = ""

    def write(self, data: str) -> None:
        for code, verb, letter in re.findall("\x1b\\[([?\\d;]*)([A-Za-z])|([^\x1b])", data):
            if letter:
                self._letter(letter)
            elif code.startswith("?"):
                self._mode(code, verb == "h")
            else:
                self._act(code, verb)

    def _letter(self, letter: str) -> None:
        (y, x), wide = self._at, breadth(letter)
        self.plain += "" if self.alternate else letter
        if y < len(self.cells) and x < len(self.cells[y]) and wide:
            self.cells[y][x : x + wide] = [letter, *[""] * (wide - 1)]
            self.styles[y][x : x + wide] = [self._style] * wide
        self.touched += 1
        self._at = (y, x + wide)

    def _mode(self, code: str, on: bool) -> None:
        if code == "?1049":
            self.alternate = on
        elif code == "?25":
            self.hidden = not on
        else:
            assert code == "?7", code
            self.wraps = on

    def _act(self, code: str, verb: str) -> None:
        y, x = self._at
        if verb == "H":
            row, _, column = code.partition(";")
            self._at = (int(row) - 1, int(column) - 1)
        elif verb == "J":
            assert code == "2"
            self.cells = [[" "] * len(line) for line in self.cells]
        elif verb in "KX":
            end = len(self.cells[y]) if verb == "K" else x + int(code)
            blank = min(end, len(self.cells[y])) - x
            self.cells[y][x:end], self.styles[y][x:end] = [" "] * blank, [""] * blank
        else:
            assert verb == "m", (code, verb)
            self._style = "" if code == "0" else code

    def text(self) -> list[str]:
        return ["".join(line).rstrip() for line in self.cells]
