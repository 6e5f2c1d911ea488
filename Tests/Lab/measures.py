"""The table of measures that the run prints at its end."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Row:
    measure: str
    peer: str       # documented, or what Samba's own takes in the same run
    ours: str
    target: str
    reached: bool | None


class Table:
    def __init__(self):
        self.rows = []

    def add(self, measure, peer, ours, target, reached=None):
        """One measure. `reached` is the verdict, None where there is no target."""
        self.rows.append(Row(measure, str(peer), str(ours), str(target), reached))

    def missed(self):
        return [row for row in self.rows if row.reached is False]

    def __str__(self):
        words = {True: "reached", False: "NOT REACHED", None: ""}
        lines = [("measure", "documented or peer", "ours", "target", "")]
        lines += [(row.measure, row.peer, row.ours, row.target, words[row.reached])
                  for row in self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(5)]
        text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |"
                for line in lines]
        text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return "\n".join(text)


table = Table()
