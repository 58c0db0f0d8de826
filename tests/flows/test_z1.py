"""Z1: an agent escalates a ticket to a partner. Tests named after the edge cases of flows.md."""

import json
import urllib.request
from typing import Any

from tests.flows.scenes import calls
from tests.flows.tickets import (
    DESCRIPTION,
    NOBODYS,
    PARTNER,
    PURCHASE_ORDER,
    escalate,
    notes,
    open_ticket,
    posts,
    relayed,
    threads,
)
from tests.town import Town

OPEN_THREAD = "POST /active-community/v1/threads"
FIND_THREAD = "GET /active-community/v1/threads"
AUDIENCE = "trading_grid:\n  teams: {acme: {default: grp_all_partners}}\n"


def partner_reads(town: Town, partner: str) -> str:
    """Everything that the API shows a partner of its threads, posts and events, as one text."""
    root = town.people.urls["trading_grid"]
    secret = {"client_id": f"{partner}-partner", "client_secret": f"sandbox-{partner}-secret"}
    body = {"grant_type": "client_credentials", **secret}
    token = _call(f"{root}/tenants/tnt_sandbox/oauth2/token", body)["access_token"]
    api = f"{root}/active-community/v1"
    threads_, events = (_call(f"{api}/{path}", token=token) for path in ("threads", "events?after=earliest"))
    said = [_call(f"{api}/threads/{one['id']}/posts", token=token) for one in threads_["_embedded"]["collection"]]
    return json.dumps([threads_, events, said])


def _call(url: str, body: dict[str, str] | None = None, token: str = "") -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(url, data, headers)  # noqa: S310 -- our own sandbox
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 -- our own sandbox
        return json.loads(answer.read())


def test_z1_01_without_a_partner_the_agent_is_asked_once(town: Town) -> None:
    """Given no partner on a marked ticket, when it is read, then one note asks; naming the partner opens the thread."""
    ticket = open_ticket(town, {DESCRIPTION: "Where are the cartons?"}, organization=NOBODYS)
    town.people.escalate(ticket)
    town.run()
    town.people.say(ticket, "I am looking for the partner.")
    town.people.ticket_form(ticket, "fields", field_360003="PO-4711")
    town.run()

    (asked,) = notes(town, ticket)
    assert "Set the partner field" in asked
    assert town.by_us("trading_grid") == []

    town.people.ticket_form(ticket, "fields", **{PARTNER: "acme"})
    town.run()

    (thread,) = threads(town)
    assert (thread["partner_id"], thread["description"]) == ("prt_acme", "Where are the cartons?")
    assert sum("Set the partner field" in body for body in notes(town, ticket)) == 1


def test_z1_02_each_of_several_partners_gets_a_thread_of_its_own(town: Town) -> None:
    """Given two partners on a ticket, when it is escalated, then neither can see the other; both answer to it."""
    ticket = open_ticket(town, {DESCRIPTION: "Two cartons have not arrived.", PARTNER: "acme globex"})
    town.people.escalate(ticket)
    town.run()
    by_partner = {entry["partner_id"]: entry for entry in threads(town)}
    for partner in ("acme", "globex"):
        town.people.post(partner, by_partner[f"prt_{partner}"]["obj"], f"{partner} has looked at it")
    town.run()

    bound = {key: entry["external_references"][0]["external_id"] for key, entry in by_partner.items()}
    assert bound == {"prt_acme": f"{ticket}:acme", "prt_globex": f"{ticket}:globex"}
    assert [len(relayed(town, ticket)), len(threads(town))] == [2, 2]
    assert not any(entry["related_thread_ids"] for entry in threads(town))
    for partner, other in (("acme", "globex"), ("globex", "acme")):
        shown = partner_reads(town, partner)
        assert f"{partner} has looked at it" in shown
        assert other not in shown.lower()


def test_z1_03_private_comments_are_never_carried(town: Town) -> None:
    """Given private comments around the one for the partner, when escalated, then only that one leaves Zendesk."""
    ticket = open_ticket(town)
    town.people.say(ticket, "canary-first: the customer is angry")
    town.people.say(ticket, "#partner Two cartons have not arrived.")
    town.people.say(ticket, "canary-public: dear customer, we ask", visibility="public")
    town.people.say(ticket, "canary-quoted: I told them '#partner hurry up'")
    town.people.say(ticket, "canary-newest: do not tell the partner")
    town.people.escalate(ticket)
    town.run()
    town.people.say(ticket, "canary-later: still private")
    town.run()

    (thread,) = threads(town)
    assert thread["description"] == "Two cartons have not arrived."
    assert posts(town, thread["obj"]) == []
    assert "canary" not in town.said_on_the_wire("trading_grid")


def test_z1_03_without_words_for_the_partner_the_agent_is_told_how_to_add_some(town: Town) -> None:
    """Given nothing was written for the partner, when escalated, then the thread has no text and a note says how."""
    ticket = open_ticket(town)
    town.people.say(ticket, "canary: do not tell the partner")
    town.people.escalate(ticket)
    town.run()

    (thread,) = threads(town)
    assert thread["description"] is None
    assert any("#partner" in body for body in notes(town, ticket))
    assert "canary" not in town.said_on_the_wire("trading_grid")

    town.people.say(ticket, "#partner Two cartons have not arrived.")
    town.run()
    (said,) = posts(town, thread["obj"])
    assert "Two cartons have not arrived." in said


def test_z1_04_personal_data_of_the_customer_is_removed(town: Town) -> None:
    """Given the customer's name, mail and phone in a text, when sent, then they are gone and order numbers stay."""
    who = "Customer of Acme, customer@acme.example, +1 (555) 010-9999 or 555-010-8888"
    words = f"Call {who} about PO 4500012345 of 2026-11-02 (4711-0815-22)."
    fields = {DESCRIPTION: words, PURCHASE_ORDER: "4500012345"}
    ticket = open_ticket(town, fields, subject="Cartons of customer of acme missing")
    town.people.escalate(ticket)
    town.run()
    town.people.say(ticket, f"#partner Please call {who}.")
    town.run()

    (thread,) = threads(town)
    assert thread["title"] == "Cartons of [removed] missing"
    assert "about PO 4500012345 of 2026-11-02 (4711-0815-22)." in thread["description"]
    (said,) = posts(town, thread["obj"])
    assert "Please call [removed]" in said
    for told in ("Customer of Acme", "customer of acme", "customer@", "010-9999", "010-8888"):
        assert told not in town.said_on_the_wire("trading_grid")
    shown = [body for body in notes(town, ticket) if "[removed]" in body]
    assert any("Cartons of [removed] missing" in body and "about PO 4500012345" in body for body in shown)
    assert any("Please call [removed]" in body for body in shown)


def test_z1_08_a_lost_answer_is_looked_up_first(town: Town) -> None:
    """Given the answer to the opening was lost, when it is tried again, then the look-up finds the one thread."""
    town.fault("trading_grid", OPEN_THREAD, "lost_answer", times=1)
    case = escalate(town)
    town.clock_forward(60)

    assert len(threads(town)) == 1
    assert len(calls(town, "trading_grid", "POST", "/v1/threads")) == 1
    town.people.post("acme", case.thread, "We are looking.")
    town.run()
    assert len(relayed(town, case.ticket)) == 1


def test_z1_08_the_same_key_gives_the_same_thread(town: Town) -> None:
    """Given the look-up misses a new thread, when its POST is repeated, then the same key gives the same thread."""
    town.fault("trading_grid", OPEN_THREAD, "lost_answer", times=1)
    town.fault("trading_grid", FIND_THREAD, "status", status=404, times=1)
    case = escalate(town)
    town.clock_forward(60)

    first, second = [call for call in calls(town, "trading_grid", "POST", "/v1/threads") if call["path"].endswith("s")]
    keys = [call["request_headers"]["idempotency-key"] for call in (first, second)]
    assert keys[0] == keys[1]
    assert first["request_body"] == second["request_body"]
    assert second["response_headers"]["idempotent-replayed"] == "true"
    town.people.post("acme", case.thread, "We are looking.")
    town.run()
    assert len(relayed(town, case.ticket)) == 1


def test_z1_08_after_the_keys_seven_days_the_reference_gives_the_thread(town: Town) -> None:
    """Given a lost answer and an outage of eight days, when it is tried again, then 409 names the thread."""
    ticket = open_ticket(town, {DESCRIPTION: "Two cartons have not arrived."})
    town.fault("trading_grid", OPEN_THREAD, "lost_answer", times=1)
    town.fault("trading_grid", FIND_THREAD, "status", status=503, retry_after="21600", times=1)
    town.people.escalate(ticket)
    town.run()
    town.mend("trading_grid")
    town.fault("trading_grid", FIND_THREAD, "status", status=404, times=1)
    town.clock_forward(8 * 86_400)

    (thread,) = threads(town)
    answers = [call["status"] for call in calls(town, "trading_grid", "POST", "/v1/threads")]
    assert 409 in answers
    town.people.post("acme", thread["obj"], "We are looking.")
    town.run()
    assert len(relayed(town, ticket)) == 1
    assert town.dead() == []


def test_z1_11_an_audience_is_refused_and_the_agent_asked(town: Town) -> None:
    """Given an audience as addressee, when sent, then it is parked as fan_out, a note asks, and mending it goes on."""
    town.configure(lambda text: text.replace("trading_grid:\n  milestone", AUDIENCE + "  milestone"))
    ticket = open_ticket(town, {DESCRIPTION: "Two cartons have not arrived."})
    town.people.escalate(ticket)
    town.run()

    assert threads(town) == []
    ((reason, detail),) = town.dead()
    assert reason == "fan_out"
    assert "fan_out_required" in detail
    (asked,) = [body for body in notes(town, ticket) if "could not be opened" in body]
    assert "one partner at a time" in asked

    town.configure(lambda text: text)
    town.requeue("fan_out")
    town.run()
    assert [entry["description"] for entry in threads(town)] == ["Two cartons have not arrived."]


def test_z1_03_the_partners_answer_to_a_thread_without_words_arrives(town: Town) -> None:
    """Given a thread without a text, when the partner writes its first post, then that reaches the ticket."""
    ticket = open_ticket(town)
    town.people.escalate(ticket)
    town.run()
    (thread,) = threads(town)
    town.people.post("acme", thread["obj"], "What is it about?")
    town.run()

    (body,) = relayed(town, ticket)
    assert "What is it about?" in body


def test_z1_02_a_corrected_partner_gets_a_thread_and_the_wrong_one_no_more_words(town: Town) -> None:
    """Given the wrong partner got a thread, when the field is corrected, then only the right one gets later words."""
    ticket = open_ticket(town, {DESCRIPTION: "Two cartons have not arrived."})
    town.people.escalate(ticket)
    town.run()
    town.people.ticket_form(ticket, "fields", **{PARTNER: "globex"})
    town.run()
    town.people.say(ticket, "#partner Please answer today.")
    town.people.ticket_form(ticket, "tags", remove="b2b_partner_issue")
    town.people.ticket_form(ticket, "tags", add="b2b_partner_issue")
    town.run()

    wrong, right = threads(town)
    assert [wrong["partner_id"], right["partner_id"]] == ["prt_acme", "prt_globex"]
    bound = [entry["external_references"][0]["external_id"] for entry in (wrong, right)]
    assert bound == [str(ticket), f"{ticket}:globex"]
    assert [len(posts(town, thread["obj"])) for thread in (wrong, right)] == [0, 2]
    assert town.dead() == []
