"""Branches of Z2, each with the test that must turn red without it (decisions D20)."""

from tests.flows.mutations import FLOWS, GRID, STAGES, STORE, Mutation

Z2, LIMITS = "test_z2.py::test_z2_", "test_z2_limits.py::test_z2_"
DESK = "pipeline/connectors/zendesk/"

MUTATIONS = (
    Mutation(
        f"{Z2}01_a_closed_ticket_gets_one_follow_up",
        f"{DESK}say.py",
        '{} if facts.get("full") else {"via_followup_source_id": int(number)}',
        "{}",
    ),
    Mutation(
        f"{Z2}01_a_closed_ticket_gets_one_follow_up",
        f"{DESK}look_up.py",
        "closed_link_ids=(old.id,),",
        "closed_link_ids=(),",
    ),
    Mutation(
        f"{Z2}01_a_closed_ticket_gets_one_follow_up",
        f"{DESK}values.py",
        'if stays and operation.details.get("by_partner"):',
        "if False:",
    ),
    Mutation(
        f"{Z2}01_a_refusal_of_the_closed_ticket_tells_as_much",
        f"{DESK}judge.py",
        "_again(answer, closed=True)",
        "_again(answer)",
    ),
    Mutation(
        f"{Z2}02_a_solved_ticket_is_commented_and_opened_again",
        f"{DESK}say.py",
        'also["status"] = "open"',
        "pass",
    ),
    Mutation(
        f"{Z2}02_it_stays_solved_where_the_setting_says_so",
        f"{DESK}say.py",
        "return options.reopen_solved and",
        "return",
    ),
    Mutation(
        f"{Z2}03_markup_is_sanitised_and_placeholders_stay_words",
        f"{DESK}texts.py",
        'return _PLACEHOLDER.sub("{" + _JOINER, markup)',
        "return markup",
    ),
    Mutation(
        f"{Z2}04_a_long_text_comes_whole_in_numbered_parts",
        f"{DESK}texts.py",
        "    if len(words.encode()) + end <= LIMIT_BYTES:\n",
        "    if True:\n",
    ),
    Mutation(
        f"{Z2}04_a_part_whose_answer_was_lost_stands_once",
        f"{DESK}say.py",
        "there = parts_there(facts, work, len(bodies))",
        "there: set[int] = set()",
    ),
    Mutation(
        f"{Z2}05_our_own_post_makes_no_comment",
        f"{STAGES}casebook.py",
        "        if not change.author.ours:\n",
        "        if True:\n",
    ),
    Mutation(
        f"{LIMITS}06_a_burst_of_ten_posts_keeps_its_order",
        f"{GRID}read.py",
        "events.sort(key=lambda event: event.sequence)",
        "events.sort(key=lambda event: -event.sequence)",
    ),
    Mutation(
        f"{LIMITS}06_forty_posts_arrive_within_the_tickets_limit",
        f"{STAGES}drain.py",
        "            elif item.id in full:\n",
        "            elif False:\n",
    ),
    Mutation(
        f"{LIMITS}06_a_ticket_of_two_partners_has_one_limit",
        f"{STORE}lanes.sql",
        "join lane p on p.case_id = same.case_id and p.target = l.target",
        "join lane p on p.id = l.id",
    ),
    Mutation(
        f"{LIMITS}06_a_429_of_one_ticket_holds_up_that_ticket_alone",
        f"{DESK}judge.py",
        "if _is_of_one_ticket(answer) else outcome",
        "if False else outcome",
    ),
    Mutation(
        f"{Z2}07_a_lost_answer_is_looked_up_by_our_mark",
        f"{DESK}plan.py",
        "return Plan(SYSTEM, look_up.reads(work))",
        "return Plan(SYSTEM)",
    ),
    Mutation(
        f"{Z2}08_each_comment_says_whether_it_is_public",
        f"{DESK}requests.py",
        '"public": False, ',
        "",
    ),
    Mutation(
        f"{Z2}10_a_typed_update_fills_its_field_on_what_the_ticket_holds_now",
        f"{DESK}say.py",
        "(requests.guard(ticket) if field else {})",
        "{}",
    ),
    Mutation(
        f"{Z2}10_a_typed_update_fills_its_field_on_what_the_ticket_holds_now",
        f"{DESK}judge.py",
        "excerpt(answer.body))\n    return _again(answer)\n",
        'excerpt(answer.body))\n    return Outcome(Verdict.DEAD, Reason.REJECTED, "")\n',
    ),
    Mutation(
        f"{LIMITS}11_a_deleted_ticket_parks_the_posts",
        f"{STAGES}dispatch.py",
        "closed_link_ids=(work.link.id,)",
        "closed_link_ids=()",
    ),
    Mutation(
        f"{LIMITS}11_a_deletion_that_was_seen_first_loses_no_post",
        f"{FLOWS}z2_partner_update_returns.py",
        "tickets or _gone(situation)",
        "tickets",
    ),
    Mutation(
        f"{LIMITS}12_a_redaction_reaches_the_comment",
        f"{FLOWS}z2_partner_update_returns.py",
        "    if change.kind is ChangeKind.REDACTED:\n",
        "    if False:\n",
    ),
    Mutation(
        f"{LIMITS}13_a_full_ticket_parks_by_setting",
        f"{DESK}judge.py",
        "if _comments(request) and _FULL.search(said):",
        "if False:",
    ),
    Mutation(
        f"{LIMITS}13_a_full_ticket_goes_on_in_a_new_one_by_setting",
        f"{DESK}judge.py",
        'if options.when_full == "new_ticket":',
        "if False:",
    ),
)
