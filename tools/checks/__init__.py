"""Checks of the project's structure. `make lint` runs them; tests/lint shows that each can fail.

One check is one module with a function `check(tree)`. It yields its findings, one line each:
`path:line: what is wrong; what to do`. To run one alone: `.venv/bin/python -m tools.checks NAME`.
"""
