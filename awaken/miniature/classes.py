"""What can move in a picture; the order is the order of the mask channels everywhere."""

from __future__ import annotations

# A region stays where it is and its inside moves; an object moves as a whole and uncovers what is
# behind it.
REGIONS: tuple[str, ...] = ("sky", "water", "falling water", "grass", "smoke", "fire")
OBJECTS: tuple[str, ...] = ("trees", "boats", "birds", "flags")
CLASSES: tuple[str, ...] = REGIONS + OBJECTS
