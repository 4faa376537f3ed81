"""Arguments that several root fields share."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.scalars import Cursor

First = Annotated[int, strawberry.argument(description="Rows of the page, 1 to 100.")]
After = Annotated[Cursor | None, strawberry.argument(description="Continue behind this cursor.")]
