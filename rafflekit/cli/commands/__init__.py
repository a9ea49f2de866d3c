"""Every command with its line in the help. Its module is imported when it is called, so that `--help` is quick.

To add a command, write its function into the file of its family and add its row here.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """Where a command is, and its line in the help.

    `function` is its name in the module `commands.<family>`. A group of commands has no function: its module maps the
    names of its commands to functions in `GROUP`.
    """

    family: str
    function: str | None
    summary: str


HEADINGS: dict[str, dict[str, Command]] = {
    "Run a raffle": {
        "create": Command("raffles", "create_raffle", "Create a raffle."),
        "edit": Command("raffles", "edit_raffle", "Change a raffle that has no tickets yet."),
        "list": Command("raffles", "list_raffles", "List the raffles, newest first."),
        "show": Command("raffles", "show_raffle", "Show one raffle."),
        "print": Command("papers", None, "Write a raffle's paper as HTML, to be printed."),
        "participate": Command("tickets", "hand_out_tickets", "Hand out a ticket, or tickets to a list of people."),
        "close": Command("endings", "close_tickets", "Stop handing out tickets; the draw is over those handed out."),
        "cancel": Command("endings", "cancel_raffle", "Call a raffle off before its draw."),
        "draw": Command("draws", "draw_winners", "Draw the winners of a closed raffle."),
        "export": Command("exports", "export_list", "Write winners, tickets, claims or invitations into a file."),
        "winners": Command("claims", "list_winners", "List the winners in draw order."),
        "verify": Command("claims", "verify_ticket", "Check a ticket's code and show what the ticket won."),
        "redeem": Command("claims", "redeem_prize", "Mark the prize of a ticket as handed out, once."),
        "forfeit": Command("claims", "forfeit_prize", "Pass a prize on to the next ticket of the draw."),
        "queue": Command("claims", "show_queue", "List the tickets that are next if a prize is forfeited."),
        "simulate": Command("simulations", "simulate_raffle", "Draw a raffle many times, to see how fair it is."),
        "demo": Command("demo", "run_demo", "Watch a whole raffle, from the first ticket to the winners."),
    },
    "Prove it": {
        "receipt": Command("proofs", "show_receipt", "Print a ticket's receipt, the proof that it is in the draw."),
        "checkpoint": Command("proofs", "show_checkpoint", "Print the latest signed checkpoint of a raffle's ledger."),
        "proof": Command("proofs", "show_proof", "Print the proof of a draw, for anyone to check."),
        "audit": Command("audit", "audit_proof", "Check the proof of a draw, step by step."),
        "key": Command("keys", None, "Make or show the key that signs tickets and draws."),
        "witness": Command("witnesses", None, "Sign someone else's raffle, or add a witness's signature."),
    },
    "Keep it running": {
        "pass": Command("passes", None, "Make, list and revoke desk passes: who may do what at the desk."),
        "serve": Command("serve", "serve_raffles", "Serve the raffles over HTTP."),
        "backup": Command("databases", "back_up", "Back up the database file while servers keep running."),
        "doctor": Command("databases", "check_up", "Check that a database is complete, correct and private."),
        "purge": Command(
            "endings", "purge_participants", "Delete the participant data of a drawn or cancelled raffle."
        ),
        "db": Command("databases", None, "Show the layout of a database, or upgrade it."),
    },
}
"""The commands under the headings of the help."""

COMMANDS = {name: command for commands in HEADINGS.values() for name, command in commands.items()}
