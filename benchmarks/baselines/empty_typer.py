"""A Typer program with one empty command: what `rafflekit --help` is compared with."""

import typer

app = typer.Typer()


@app.command()
def nothing() -> None:
    """Do nothing."""


if __name__ == "__main__":
    app()
