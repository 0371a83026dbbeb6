//! What is no plan.

use serde_json::{Value, json};
use unfazed::inject::document::MOST_BYTES;
use unfazed::inject::plan::{Action, Plan};
use unfazed::unit::Span;

use crate::fake::{parse, plan, with};

fn refusal(text: &str) -> String {
    Plan::parse(text.as_bytes()).expect_err(text)
}

fn refused(plan: &Value, needle: &str) {
    let message = refusal(&plan.to_string());
    assert!(message.contains(needle), "{message}");
}

#[test]
fn the_plan_of_the_contract_is_read_whole() {
    let plan = parse(&with(
        "/target",
        json!({"process": {"name": "payment-worker", "arguments": "--queue canary"}}),
    ));
    assert_eq!((plan.run_id.as_str(), plan.iteration, plan.count), ("run-1", 1, 1));
    assert_eq!(plan.ticket.as_deref(), Some("CHG-4211"));
    assert_eq!(plan.action, Action::Kill);
}

#[test]
fn nothing_is_no_plan() {
    for text in ["", " ", "null", "[]", "{}", "\"kill\"", "42", "{", "\u{feff}{}"] {
        refusal(text);
    }
}

#[test]
fn bytes_that_are_no_text_are_no_plan() {
    assert!(Plan::parse(&[0xff, 0xfe, 0x00]).is_err());
    assert!(Plan::parse(&[0; 100]).is_err());
}

#[test]
fn two_plans_are_no_plan() {
    refusal(&format!("{}{}", plan(), plan()));
}

#[test]
fn a_huge_plan_is_refused_before_it_is_parsed() {
    let huge = with("/actor", json!("x".repeat(MOST_BYTES)));
    refused(&huge, "longer than");
}

#[test]
fn a_deep_plan_is_refused() {
    refusal(&format!("{}{}", "[".repeat(20_000), "]".repeat(20_000)));
}

#[test]
fn an_unknown_key_is_refused_wherever_it_stands() {
    let unknown = [
        ("", "unknown field"),
        ("/limits", "unknown field"),
        ("/protected", "unknown field"),
        ("/window", "unknown field"),
        ("/target/process", "unknown field"),
    ];
    for (pointer, needle) in unknown {
        let mut plan = plan();
        let object = plan.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        object.insert("max_kill".to_owned(), json!(1));
        refused(&plan, needle);
    }
}

#[test]
fn a_key_given_twice_is_refused() {
    let text = plan().to_string();
    refusal(&text.replace("\"count\":1", "\"count\":1,\"count\":1"));
    refusal(&text.replace("\"max_kills\":1", "\"max_kills\":1,\"max_kills\":100"));
    refusal(&text.replace("\"name\":\"payment-worker\"", "\"name\":\"a\",\"name\":\"b\""));
    refusal(&text.replace("\"target\":{", "\"target\":{\"process\":{\"name\":\"a\"},"));
}

#[test]
fn a_missing_limit_is_refused_and_not_unlimited() {
    for key in ["max_kills", "max_share", "min_survivors"] {
        let mut plan = plan();
        plan["limits"].as_object_mut().unwrap().remove(key);
        refused(&plan, key);
    }
    for key in ["limits", "count", "expires_at", "created_at", "target", "action", "run_id"] {
        let mut plan = plan();
        plan.as_object_mut().unwrap().remove(key);
        refused(&plan, key);
    }
}

#[test]
fn another_schema_is_refused() {
    refused(&with("/schema", json!("unfazed.plan/v2")), "unfazed.plan/v1");
}

#[test]
fn a_count_of_zero_below_zero_or_beyond_reason_is_refused() {
    for count in
        [json!(0), json!(-1), json!(1.5), json!("1"), json!(4_294_967_296_u64), json!(10_001)]
    {
        refusal(&with("/count", count).to_string());
    }
}

#[test]
fn a_share_outside_zero_to_one_is_refused() {
    for share in [json!(-0.1), json!(1.01), json!("0.5"), json!(null)] {
        refusal(&with("/limits/max_share", share).to_string());
    }
    refusal(&plan().to_string().replace("\"max_share\":0.5", "\"max_share\":NaN"));
    refusal(&plan().to_string().replace("\"max_share\":0.5", "\"max_share\":1e999"));
}

#[test]
fn an_unknown_action_is_refused_and_the_known_ones_are_named() {
    for word in ["Kill", "KILL", "kil", "", "sigkill", "9", "stop"] {
        refused(&with("/action", json!(word)), "kill, terminate, pause, resume");
    }
    for value in [json!(9), json!(null), json!([]), json!({})] {
        refusal(&with("/action", value).to_string());
    }
}

#[test]
fn a_selector_that_selects_everything_is_refused() {
    refused(&with("/target", json!({"process": {}})), "selects everything");
    refused(&with("/target", json!({"process": {"user": "root"}})), "selects everything");
    refused(&with("/target", json!({"process": {"arguments": "--x"}})), "selects everything");
    refused(&with("/target", json!({"container": {}})), "selects everything");
    refusal(&with("/target", json!({"kubernetes": {"namespace": "x"}})).to_string());
    refused(&with("/target", json!({"kubernetes": {"namespace": "x", "selector": " "}})), "empty");
    refusal(&with("/target", json!({})).to_string());
}

#[test]
fn an_empty_word_is_refused_and_matches_nothing() {
    for key in ["name", "arguments", "command_line", "pid_file", "cgroup", "user"] {
        for text in ["", " ", "\t"] {
            let mut target = json!({"process": {"name": "x"}});
            target["process"][key] = json!(text);
            refused(&with("/target", target), "empty");
        }
    }
}

#[test]
fn two_targets_are_refused() {
    let target = json!({"process": {"name": "a"}, "container": {"name": "b"}});
    refusal(&with("/target", target).to_string());
}

#[test]
fn a_name_with_a_path_or_a_control_character_is_refused() {
    for name in ["/bin/sleep", "a\nb", "a\u{0}b", "\u{1b}[2J"] {
        refusal(&with("/target", json!({"process": {"name": name}})).to_string());
    }
}

#[test]
fn a_relative_pid_file_and_the_root_cgroup_are_refused() {
    refusal(&with("/target", json!({"process": {"pid_file": "run/x.pid"}})).to_string());
    for cgroup in ["/", "//", "user.slice"] {
        refusal(&with("/target", json!({"process": {"cgroup": cgroup}})).to_string());
    }
}

#[test]
fn a_time_without_a_zone_or_an_empty_window_is_refused() {
    refused(&with("/expires_at", json!("2026-11-23T12:05:00")), "zone");
    refused(&with("/window/end", json!("2026-11-23T11:00:00Z")), "window.end");
    refused(&with("/expires_at", json!("2026-11-23T11:59:00Z")), "expires_at");
}

#[test]
fn a_pause_needs_an_end_and_a_kill_has_none() {
    refused(&with("/action", json!("pause")), "never end");
    let mut kill = plan();
    kill["duration_s"] = json!(5);
    refused(&kill, "pause and hook only");
    let mut pause = with("/action", json!("pause"));
    for duration in [json!(0), json!(-1), json!(1e300), json!("5s")] {
        pause["duration_s"] = duration;
        refusal(&pause.to_string());
    }
    pause["duration_s"] = json!(1.5);
    assert_eq!(parse(&pause).action, Action::Pause(Span::from_milliseconds(1500)));
}

#[test]
fn a_hook_needs_a_program() {
    for hook in [json!({"hook": []}), json!({"hook": [""]}), json!({"hook": "reboot"})] {
        refusal(&with("/action", hook).to_string());
    }
    refusal(&with("/action", json!({"hook": ["true"], "rollback": []})).to_string());
    refusal(&with("/action", json!({"hook": ["true"], "shell": true})).to_string());
}

#[test]
fn all_problems_are_told_at_once() {
    let mut plan = with("/count", json!(0));
    plan["limits"]["max_share"] = json!(7);
    plan["target"] = json!({"process": {}});
    let message = refusal(&plan.to_string());
    for needle in ["count", "max_share", "selects everything"] {
        assert!(message.contains(needle), "{message}");
    }
}
