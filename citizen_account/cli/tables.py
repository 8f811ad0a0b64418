"""Print tables whole: an id that is cut off is of no use to the next command."""

from rich.console import Console
from rich.table import Table

WIDEST = 10_000


def show_table(table: Table) -> None:
    """Print the table; where the terminal is narrower, that breaks its lines."""
    console = Console()
    wanted = console.measure(table, options=console.options.update(width=WIDEST)).maximum
    Console(width=max(console.width, wanted)).print(table)
