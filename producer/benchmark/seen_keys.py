"""Which keys a benchmark has used, and where first: in memory that does not grow with the samples."""

from __future__ import annotations

import sqlite3

from db.errors import FarmError

CACHE_KILOBYTES = 8000


class SeenKeys:
    """The place of each (category, key), in a database without a name: private, spilt to disk, gone when closed."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.executescript(
            f"PRAGMA cache_size = -{CACHE_KILOBYTES}; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE seen (category TEXT, key TEXT, place TEXT, PRIMARY KEY (category, key)) WITHOUT ROWID;"
            "BEGIN"
        )

    def __enter__(self) -> SeenKeys:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def first_place(self, category: str, key: str, place: str) -> str | None:
        """Return where the key was used before in its category; None, and remember this place, where it was not.

        Raises FarmError when the disk that it is spilt to is full.
        """
        try:
            self._database.execute("INSERT INTO seen VALUES (?, ?, ?)", (category, key, place))
        except sqlite3.IntegrityError:
            query = "SELECT place FROM seen WHERE category = ? AND key = ?"
            (first,) = self._database.execute(query, (category, key)).fetchone()
            return str(first)
        except sqlite3.OperationalError as error:
            raise FarmError(f"the folder for temporary files cannot take the benchmark's keys: {error}") from error
        return None
