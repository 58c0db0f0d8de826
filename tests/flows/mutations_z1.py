"""Branches of Z1, each with the test that must turn red without it (decisions D20)."""

from tests.flows.mutations import FLOWS, GRID, STAGES, STORE, Mutation

Z1, LATER = "test_z1.py::test_z1_", "test_z1_later.py::test_z1_"
DESK, ESCALATION = "pipeline/connectors/zendesk/", f"{FLOWS}z1_escalation_to_partner.py"

MUTATIONS = (
    Mutation(
        f"{Z1}01_without_a_partner_the_agent_is_asked_once",
        ESCALATION,
        "ASK_PARTNER)] if situation.opened else []",
        "ASK_PARTNER)]",
    ),
    Mutation(
        f"{Z1}02_each_of_several_partners_gets_a_thread_of_its_own",
        ESCALATION,
        'f"{number}:{partner.key}" if several else number',
        "number",
    ),
    Mutation(
        f"{Z1}02_a_corrected_partner_gets_a_thread_and_the_wrong_one_no_more_words",
        f"{GRID}judge.py",
        "if theirs != ours and holds_origin(work, work.operation, thread):",
        "if False:",
    ),
    Mutation(
        f"{Z1}02_a_corrected_partner_gets_a_thread_and_the_wrong_one_no_more_words",
        ESCALATION,
        "    if not _is_addressed(situation):\n",
        "    if False:\n",
    ),
    Mutation(
        f"{Z1}03_private_comments_are_never_carried",
        f"{DESK}speech.py",
        "    if matched is None:\n        return None\n",
        "    if matched is None:\n        return body\n",
    ),
    Mutation(
        f"{Z1}03_without_words_for_the_partner_the_agent_is_told_how_to_add_some",
        ESCALATION,
        "    if text is None:\n        prefix",
        "    if False:\n        prefix",
    ),
    Mutation(
        f"{Z1}03_the_partners_answer_to_a_thread_without_words_arrives",
        f"{GRID}changes.py",
        'view.opening is not None and post.get("id") == view.opening',
        'post.get("sequence") == 1',
    ),
    Mutation(
        f"{Z1}04_personal_data_of_the_customer_is_removed",
        f"{FLOWS}_personal.py",
        "_MAIL.sub(REMOVED, text)",
        "text",
    ),
    Mutation(
        f"{Z1}04_personal_data_of_the_customer_is_removed",
        ESCALATION,
        "body = cleaned(situation, text.body)",
        "body = text.body",
    ),
    Mutation(
        f"{LATER}05_a_merged_ticket_hands_its_thread_on",
        f"{STAGES}routing.py",
        "changes.move_link(self.conn, move)",
        "pass",
    ),
    Mutation(
        f"{LATER}05_a_merged_ticket_hands_its_thread_on",
        f"{STORE}changes.py",
        '    wake_source(conn, move.to, why=f"moved:{move.link_id}")\n',
        "",
    ),
    Mutation(
        f"{LATER}05_tickets_of_two_partners_stay_apart",
        f"{STAGES}routing.py",
        "self._require_same_partners(item.change.ref, move.to)",
        "pass",
    ),
    Mutation(
        f"{LATER}06_a_closed_ticket_is_followed_up_when_the_partner_still_writes",
        f"{DESK}say.py",
        "    if takes_no_more(facts):\n",
        "    if False:\n",
    ),
    Mutation(
        f"{LATER}07_marked_again_the_new_text_becomes_a_post",
        ESCALATION,
        "return [] if text is None else",
        "return [] if True else",
    ),
    Mutation(
        f"{Z1}08_a_lost_answer_is_looked_up_first",
        f"{STAGES}dispatch.py",
        "        if must_look:\n",
        "        if False:\n",
    ),
    Mutation(
        f"{Z1}08_the_same_key_gives_the_same_thread",
        f"{STAGES}courier.py",
        "key_of=lambda round_: idem_key(held.key, held.plan_rev + round_)",
        "key_of=lambda round_: idem_key(held.key, held.plan_rev + round_ + held.tries)",
    ),
    Mutation(
        f"{Z1}08_after_the_keys_seven_days_the_reference_gives_the_thread",
        f"{GRID}judge.py",
        'if existing and request.step in ("create", "document"):',
        "if False:",
    ),
    Mutation(
        f"{LATER}09_a_webhook_only_wakes_the_reader",
        f"{DESK}receive.py",
        "        return matched[1]\n",
        "        return None\n",
    ),
    Mutation(
        f"{LATER}10_unmarked_the_thread_stays_and_is_told",
        ESCALATION,
        "return [_withdrawn(thread) for thread in _threads(situation)]",
        "return []",
    ),
    Mutation(
        f"{Z1}11_an_audience_is_refused_and_the_agent_asked",
        f"{GRID}judge.py",
        '    "fan_out_required": Reason.FAN_OUT,\n',
        "",
    ),
    Mutation(
        f"{Z1}11_an_audience_is_refused_and_the_agent_asked",
        f"{STAGES}refusals.py",
        "        changes.append(conn, cause, change)\n",
        "        pass\n",
    ),
)
