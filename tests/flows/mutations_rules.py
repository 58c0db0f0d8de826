"""Branches behind the rules that hold across flows, each with the test that must turn red without it."""

from tests.flows.mutations import FLOWS, GEMINI, GRID, LOST, ORDER, RULE, STAGES, STORE, Mutation

MUTATIONS = (
    Mutation(
        f"{RULE}1_two_events_of_one_key_make_one_case",
        f"{STORE}changes.py",
        "if row is not None and not row[3]:",
        "if False:",
    ),
    Mutation(
        f"{RULE}1_the_constraint_decides_between_two_writers",
        f"{STORE}changes.sql",
        "on conflict (partner, case_key, generation) do update set last_activity_at = casebridge.now()\n",
        "",
    ),
    Mutation(
        f"{RULE}1_two_partners_never_share_a_case",
        f"{STORE}changes.sql",
        "where partner = %(partner)s and case_key = %(key)s",
        "where case_key = %(key)s",
    ),
    Mutation(
        f"{RULE}1_without_a_key_the_object_is_its_own",
        "pipeline/domain/identity.py",
        'return f"object:{fallback}"',
        'return "object:"',
    ),
    Mutation(
        f"{RULE}2_an_escalated_ticket_binds_to_the_open_case",
        "schemas/content.py",
        "return self.value.strip().upper()",
        "return self.value",
    ),
    Mutation(
        f"{RULE}2_after_the_window_a_new_case_names_the_old_one",
        f"{FLOWS}g1_exception_opens_case.py",
        "steps += _relate(situation, situation.case.earlier)",
        "pass",
    ),
    Mutation(
        f"{RULE}2_after_the_window_a_new_case_names_the_old_one",
        f"{FLOWS}g1_exception_opens_case.py",
        "details=thread.extra | _earlier_item(situation),",
        "details=dict(thread.extra),",
    ),
    Mutation(
        f"{RULE}2_within_the_window_it_still_joins",
        f"{STORE}changes.sql",
        "make_interval(days => %(days)s) as stale",
        "make_interval(days => %(days)s - 5) as stale",
    ),
    Mutation(
        f"{RULE}4_what_we_wrote_does_not_come_back",
        f"{STAGES}casebook.py",
        "if not change.author.ours:",
        "if True:",
    ),
    Mutation(
        f"{RULE}4_a_person_who_uses_our_account_is_heard",
        f"{STAGES}casebook.py",
        "return self._by_value(item, cases) if cases else None",
        "return 0",
    ),
    Mutation(
        f"{RULE}4_the_same_words_by_somebody_else_are_a_change",
        f"{STAGES}casebook.py",
        "if not change.author.ours:",
        "if False:",
    ),
    Mutation(
        f"{RULE}4_a_write_seen_before_its_answer_is_still_an_echo",
        f"{STAGES}casebook.py",
        "if mark in by_mark and (",
        "if False and (",
    ),
    Mutation(
        f"{RULE}5_an_internal_comment_made_public_is_said_anew",
        f"{GEMINI}changes.py",
        "if now_partner and not was_partner:",
        "if False:",
    ),
    Mutation(
        f"{RULE}5_what_became_internal_while_it_waited_is_not_sent",
        f"{STAGES}courier.py",
        "if source.recheck(change, http):",
        "if True:",
    ),
    Mutation(
        f"{RULE}5_visibility_is_always_sent",
        f"{GEMINI}comment.py",
        '"Visibility": group_of(visibility, options),',
        "",
    ),
    Mutation(
        f"{ORDER}6_a_case_waits_for_its_first_delivery_others_go",
        f"{STAGES}settling.py",
        "return Settlement(item.held, attempt, done=False, burn=burn,",
        "return Settlement(item.held, attempt, done=True, burn=burn,",
    ),
    Mutation(
        f"{ORDER}6_a_dead_comment_lets_the_next_go",
        f"{STAGES}settling.py",
        "stops = blocks(",
        "stops = True or blocks(",
    ),
    Mutation(
        f"{ORDER}6_a_dead_create_holds_what_depends_on_it",
        f"{STAGES}settling.py",
        "stops = blocks(",
        "stops = False and blocks(",
    ),
    Mutation(
        f"{ORDER}6_a_dead_state_does_not_undo_a_newer_one",
        f"{STORE}dead_letters.py",
        "elif _is_overtaken(conn, delivery_id):",
        "elif False:",
    ),
    Mutation(
        f"{LOST}7_a_refusal_keeps_everything_and_can_be_replayed",
        f"{STAGES}settling.py",
        "exchanges=msgspec.json.encode(item.delivered.exchanges),",
        'exchanges=b"[]",',
    ),
    Mutation(
        f"{LOST}7_a_replay_of_what_had_succeeded_writes_nothing",
        f"{STAGES}dispatch.py",
        "looked, found = True, attempt.look_up()",
        "looked, found = True, None",
    ),
    Mutation(
        f"{LOST}7_a_dead_worker_loses_nothing",
        f"{STORE}lanes.sql",
        "due = casebridge.now() + %(lease)s, owner = %(owner)s, tries = l.tries + 1",
        "due = null, owner = %(owner)s, tries = l.tries + 1",
    ),
    Mutation(
        f"{LOST}7_without_any_webhook_every_change_is_found",
        "workers/bootstrap.py",
        "signals.ensure_poll(conn, name)",
        "pass",
    ),
    Mutation(
        f"{LOST}7_an_expired_cursor_is_made_good_by_a_sweep",
        f"{GRID}feed.py",
        "    if body is None:  # 410 cursor_expired\n",
        '    if body is None:\n        return Page((), {"after": _latest(http), "at": cursor.get("at")})\n'
        "    if body is None:\n",
    ),
    Mutation(
        f"{LOST}7_an_outage_holds_up_nobody_else",
        f"{STAGES}settling.py",
        "    wait = item.wait()\n",
        "    wait = None\n",
    ),
    Mutation(
        f"{LOST}8_a_redaction_reaches_the_copy",
        f"{GEMINI}comment.py",
        "return tuple(_withdraw(work, row) for row in stored",
        "return tuple(_withdraw(work, row) for row in ()",
    ),
    Mutation(
        f"{LOST}8_a_copy_that_cannot_be_redacted_is_put_before_a_person",
        f"{GEMINI}comment.py",
        "    if not ours:\n",
        "    if False:\n",
    ),
    Mutation(
        f"{LOST}8_a_deleted_ticket_is_told_and_nothing_is_deleted",
        f"{FLOWS}r8_source_deleted.py",
        "if situation.change.kind is not ChangeKind.DELETED:",
        "if True:",
    ),
)
