"""A run or a goal as one page: facts → page (page.py) → HTML, or words for a terminal."""
