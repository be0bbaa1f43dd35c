"""What befalls tuning jobs on demand: slow stages, failures of every kind, results with something missing.

`PUT /emulator/tuning` replaces what is in force. What it may say stands in `rules.Control` and, with examples, in
docs/emulator.md. It lasts as long as the process: an emulator that is started again brings unfinished jobs to a good
end.
"""

from vertex_emulator.tuning.fates.course import Course, Struck
from vertex_emulator.tuning.fates.force import Fates
from vertex_emulator.tuning.fates.rules import Control, Fate, read_control

__all__ = ["Control", "Course", "Fate", "Fates", "Struck", "read_control"]
