"""Branches of G1, G2 and the common rules, each with the test that must turn red without it (decisions D20)."""

from dataclasses import dataclass

G1, REFUSALS = "test_g1.py::test_g1_", "test_g1_refusals.py::test_g1_"
G2, BACK = "test_g2.py::test_g2_", "test_g2_back.py::test_g2_"
RULE, ORDER, LOST = "test_rules.py::test_rule_", "test_rules_order.py::test_rule_", "test_rules_lost.py::test_rule_"

GEMINI, GRID = "pipeline/connectors/gemini/", "pipeline/connectors/trading_grid/"
FLOWS, STAGES, STORE = "pipeline/flows/", "pipeline/stages/", "pipeline/store/"


@dataclass(frozen=True)
class Mutation:
    """`old` stands once in `file`; with `new` in its place `test` must fail. `also`: what else guards the same."""

    test: str
    file: str
    old: str
    new: str
    also: tuple[tuple[str, str, str], ...] = ()

    @property
    def edits(self) -> tuple[tuple[str, str, str], ...]:
        """Every (file, old, new)."""
        return ((self.file, self.old, self.new), *self.also)


MUTATIONS = (
    Mutation(
        f"{G1}01_the_same_event_again_makes_nothing_twice",
        f"{GRID}changes.py",
        'external_id=f"{event.id}:{thread_id}" if per_thread else event.id,',
        "external_id=f\"{event.id}:{known.get('revision')}\",",
    ),
    Mutation(
        f"{G1}02_an_item_joins_the_case_of_a_ticket",
        f"{STORE}changes.py",
        "if row is not None and not row[3]:",
        "if False:",
    ),
    Mutation(
        f"{G1}03_a_second_thread_of_the_same_key_joins",
        f"{FLOWS}g1_exception_opens_case.py",
        "return _join(situation, items) if items else _open(situation)",
        "return _open(situation)",
    ),
    Mutation(
        f"{G1}04_an_unknown_partner_waits_in_quarantine",
        f"{STAGES}routing.py",
        "blocks = case_id is None  #",
        "blocks = False  #",
    ),
    Mutation(
        f"{G1}06_the_title_follows_the_partner",
        f"{FLOWS}g1_exception_opens_case.py",
        "return _retitle(situation)",
        "return ()",
    ),
    Mutation(
        f"{G1}06_a_title_changed_in_gemini_wins",
        f"{GEMINI}state.py",
        " or (last is not None and now != plain(last)):",
        ":",
    ),
    Mutation(
        f"{G1}06_a_title_whose_answer_was_lost_is_still_ours",
        f"{GEMINI}receipt.py",
        "return said or _titled(state.stored_title(operation), answers)",
        "return said",
    ),
    Mutation(
        f"{REFUSALS}07_a_lost_answer_is_looked_up_by_originator",
        f"{GEMINI}create.py",
        "path = f\"/items/originator/{BY_API}/name/{quote(origin, safe='')}\"",
        'path = "/items/1"',
    ),
    Mutation(
        f"{REFUSALS}07_a_lost_answer_is_looked_up_by_tag",
        f"{GEMINI}create.py",
        'candidates = [known.get("originator"), *(recent if isinstance(recent, list) else ())]',
        'candidates = [known.get("originator")]',
    ),
    Mutation(
        f"{REFUSALS}08_missing_custom_values_are_completed",
        f"{GEMINI}fields.py",
        "if row is None or row.data != _text(value):",
        "if True:",
    ),
    Mutation(
        f"{REFUSALS}08_a_value_with_a_row_is_put_with_its_id",
        f"{GEMINI}fields.py",
        "if row_id > 0 and not upsert:",
        "if False:",
    ),
    Mutation(
        f"{REFUSALS}09_a_refused_login_stops_and_loses_nothing[null]",
        f"{GEMINI}judge.py",
        'return DONE if request.step in MAY_BE_ABSENT else _auth("the answer is null")',
        "return DONE",
    ),
    Mutation(
        f"{REFUSALS}09_a_refused_login_stops_and_loses_nothing[403]",
        "pipeline/http/run.py",
        "return Outcome(Verdict.AUTH, Reason.TARGET_REFUSES_LOGIN, refused.detail)",
        "return Outcome(Verdict.DEAD, Reason.REJECTED, refused.detail)",
    ),
    Mutation(
        f"{REFUSALS}09_a_refused_login_stops_and_loses_nothing[anonymous]",
        "pipeline/http/run.py",
        "verdict = self._judge(health, answer).verdict",
        "verdict = Verdict.DONE",
    ),
    Mutation(
        f"{G1}the_case_number_is_told_though_the_item_moved_first",
        "pipeline/domain/lanes.py",
        'return not (isinstance(old, State) and "number_of" in old.details)',
        "return True",
    ),
    Mutation(
        f"{G1}11_html_is_sanitised_before_it_is_stored",
        "pipeline/domain/text.py",
        "return nh3.clean(markup, tags=TAGS,",
        'return nh3.clean(markup, tags=TAGS | {"img"},',
    ),
    Mutation(
        f"{G1}12_a_question_opens_no_case",
        f"{FLOWS}g1_exception_opens_case.py",
        "if thread.type not in CASE_TYPES:",
        "if False:",
    ),
    Mutation(
        f"{G2}01_only_the_last_of_several_states_is_pushed",
        f"{FLOWS}g2_milestones_return.py",
        '"trading_grid", operation, settles=True)',
        '"trading_grid", operation)',
    ),
    Mutation(
        f"{G2}01_a_state_behind_a_slow_comment_is_settled_too",
        f"{STORE}lanes.sql",
        "intent = case when r.fresh then l.head else l.intent end",
        "intent = l.intent",
    ),
    Mutation(
        f"{G2}02_a_thread_that_moved_is_read_again",
        f"{GRID}moves.py",
        "headers = (idempotency(work, step), tag)",
        "headers = (idempotency(work, step),)",
    ),
    Mutation(
        f"{G2}03_a_state_that_stands_is_not_written",
        f"{GRID}moves.py",
        "if current == wanted and (",
        "if False and (",
    ),
    Mutation(
        f"{G2}03_another_awaiting_reason_is_another_state",
        f"{GRID}moves.py",
        'thread.get("awaiting_reason") == awaiting',
        "True",
    ),
    Mutation(
        f"{G2}04_a_jump_is_walked_hop_by_hop",
        f"{GRID}moves.py",
        "path = [wanted] if current == wanted else path_to(current, wanted, moves)",
        "path = [wanted]",
    ),
    Mutation(
        f"{G2}04_without_a_way_it_is_parked_with_the_allowed_states",
        f"{GRID}moves.py",
        "expected a way to {wanted}; allowed: {allowed}",
        "expected a way to {wanted}",
    ),
    Mutation(
        f"{G2}05_resolved_waits_for_its_text",
        f"{FLOWS}g2_milestones_return.py",
        "if not text:",
        "if False:",
    ),
    Mutation(
        f"{G2}05_closed_without_a_text_asks_too",
        f"{FLOWS}g2_milestones_return.py",
        'NEED_TEXT = frozenset({"resolved", "closed"})',
        'NEED_TEXT = frozenset({"resolved"})',
    ),
    Mutation(
        f"{G2}06_no_word_of_an_internal_comment_leaves",
        f"{FLOWS}g6_conversation.py",
        "if change.text.visibility is not Visibility.PARTNER:",
        "if False:",
    ),
    Mutation(
        f"{BACK}07_an_answer_in_a_resolved_thread_reopens_the_item",
        f"{FLOWS}g2_milestones_return.py",
        "if done is None:",
        "if True:",
    ),
    Mutation(
        f"{BACK}07_where_closed_is_final_a_new_item_carries_on",
        f"{GEMINI}state.py",
        'if "reopen" in state.details:',
        "if False:",
    ),
    Mutation(
        f"{BACK}07_a_lost_answer_makes_no_second_new_item",
        f"{GEMINI}plan.py",
        'case State() as operation if "reopen" in operation.details:',
        "case State() as operation if False:",
    ),
    Mutation(
        f"{BACK}08_an_app_that_assigns_causes_no_ping_pong",
        f"{GRID}moves.py",
        "if current == wanted and (",
        "if False and (",
        also=(
            (
                f"{STORE}deliveries.py",
                "return DeliveryState.SUPERSEDED if superseded else DeliveryState.QUEUED",
                "return DeliveryState.QUEUED",
            ),
        ),
    ),
    Mutation(
        f"{BACK}08_an_app_that_reopens_gets_no_cause",
        f"{GEMINI}state.py",
        'if dto.get("IsClosed") is True or (',
        "if (",
    ),
    Mutation(
        f"{BACK}09_an_unknown_status_is_parked_and_changes_nothing",
        f"{FLOWS}_words.py",
        "    if found is None:\n        raise PermanentError(\n            Reason.UNMAPPED_STATUS,",
        '    if found is None:\n        return Milestone("resolved")\n        raise PermanentError(\n'
        "            Reason.UNMAPPED_STATUS,",
    ),
    Mutation(
        f"{BACK}09_a_status_requeued_too_late_does_not_undo_a_newer_one",
        f"{STAGES}routing.py",
        "if self.book.is_overtaken(item, cases):",
        "if False:",
    ),
    Mutation(
        f"{BACK}10_the_start_up_check_names_a_missing_status",
        f"{GEMINI}check.py",
        "yield from _states(options)",
        "pass",
    ),
    Mutation(
        f"{BACK}10_the_start_up_check_names_a_missing_status",
        f"{GEMINI}check.py",
        "yield from _labels(site, template)",
        "pass",
    ),
    Mutation(
        f"{G2}11_the_partner_never_reads_the_person",
        f"{GEMINI}changes.py",
        'details = {"assigned": bool(row.after)}',
        'details = {"before": row.before, "after": row.after}',
    ),
    Mutation(
        f"{BACK}12_a_closing_is_never_missed",
        f"{GEMINI}site.py",
        '"IncludeClosed": True',
        '"IncludeClosed": False',
    ),
)
