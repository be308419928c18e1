"""A stand-in for the vendor's TUI, as a program to run in a pane: an input box, and a clock at the keys.

    python3 -I -S tui.py LOG [-- COMMAND...]

Draws a box between two rules, takes what is pasted or typed into it, empties it at a
carriage return, and appends to LOG the time (ns of the monotonic clock) and the length of
each read: the first byte of a burst is when the keys were readable. As the real one it
has a session file below its HOME. COMMANDs, one JSON list each, are started as its children.
"""

import json
import os
import subprocess
import sys
import termios
import time
import tty

RULE, PROMPT = "─" * 60, "❯ "


def main(words: "list[str]") -> None:
    log = os.open(words[0], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    note_session()
    for command in words[2:]:
        child = subprocess.Popen(
            json.loads(command), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert child.stdin
        child.stdin.write(b"{}")
        child.stdin.close()
    old = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        live(log)
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, old)


def live(log: int) -> None:
    text = ""
    os.write(1, b"\x1b[?2004h")
    draw(text)
    while True:
        data = os.read(0, 4096)
        at = time.monotonic_ns()
        if not data:
            return
        os.write(log, b"%d %d\n" % (at, len(data)))
        for mark in (b"\x1b[200~", b"\x1b[201~"):
            data = data.replace(mark, b"")
        for byte in data.decode("utf-8", "replace"):
            text = "" if byte == "\r" else text + byte if byte.isprintable() else text
        draw(text)


def draw(text: str) -> None:
    os.write(1, ("\x1b[H\x1b[2J%s\r\n%s%s\r\n%s\r\n" % (RULE, PROMPT, text, RULE)).encode())


def note_session() -> None:
    with open("/proc/self/stat", "rb") as f:
        born = f.read().rpartition(b")")[2].split()[19].decode()
    folder = os.path.join(os.environ["HOME"], ".claude", "sessions")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "%d.json" % os.getpid())
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        json.dump({"pid": os.getpid(), "procStart": born, "status": "idle", "sessionId": "bench"}, f)
    os.replace(path + ".tmp", path)


if __name__ == "__main__":
    main(sys.argv[1:])
