"""`casebridge`, also `python -m workers`."""

from workers.cli import cli


def main() -> None:
    """Run the command line; exits with 0, 1 or 2."""
    cli.main(prog_name="casebridge", windows_expand_args=False)


if __name__ == "__main__":
    main()
