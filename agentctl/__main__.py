"""`python3 -m agentctl`, and `python3 -I -S <package folder>`: how a pane runs us."""

import os
import sys

if not __package__:
    sys.path[0:1] = []
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from agentctl.cli import main

sys.exit(main())
