"""python -m curlewd: becomes the daemon."""

from .launcher import main

if __name__ == "__main__":
    main()
