//! Names are whole, words are whole.

use unfazed::inject::process::Process;
use unfazed::inject::selection::Selection;

use crate::fake::worker;

fn name(name: &str) -> Selection {
    Selection { name: Some(name.to_owned()), ..Selection::default() }
}

fn arguments(text: &str) -> Selection {
    Selection { arguments: Some(text.to_owned()), ..Selection::default() }
}

#[test]
fn a_name_is_neither_prefix_nor_suffix_nor_another_case() {
    let process = worker(5000, &["/opt/payment-worker-2"]);
    for wrong in [
        "payment-worker",
        "worker-2",
        "payment-worker-",
        "payment-worker-22",
        "Payment-worker-2",
        "opt",
        "/opt/payment-worker-2",
    ] {
        assert!(!name(wrong).means(&process), "{wrong}");
    }
    assert!(name("payment-worker-2").means(&process));
}

#[test]
fn a_name_that_the_kernel_has_cut_is_not_taken_for_whole() {
    // The kernel keeps "payment-worker-" of payment-worker-2: the same 15 bytes as of a process of that very name.
    let process = worker(5000, &["/opt/payment-worker-2"]);
    assert_eq!(process.comm, b"payment-worker-");
    assert!(!name("payment-worker-").means(&process));
    let whole = worker(5001, &["/opt/payment-worker-"]);
    assert!(name("payment-worker-").means(&whole));
}

#[test]
fn a_script_is_found_by_the_name_the_kernel_keeps() {
    let mut script = worker(5000, &["/usr/bin/python3", "/opt/payments.py"]);
    script.comm = b"payments.py".to_vec();
    assert!(name("payments.py").means(&script));
    assert!(name("python3").means(&script));
    assert!(!name("payments").means(&script));
}

#[test]
fn a_title_does_not_name_a_process() {
    let mut pool = worker(5000, &["php-fpm: pool /www"]);
    pool.comm = b"php-fpm".to_vec();
    pool.program = Some(b"php-fpm8.2".to_vec());
    assert!(!name("www").means(&pool));
    assert!(name("php-fpm").means(&pool));
}

#[test]
fn bytes_that_are_no_text_equal_nothing() {
    let mut odd = worker(5000, &["x"]);
    odd.comm = vec![0xff];
    odd.arguments = vec![vec![0xff]];
    odd.program = Some(vec![0xff]);
    assert!(!name("\u{fffd}").means(&odd));
}

#[test]
fn arguments_follow_each_other_word_by_word() {
    let process = worker(5000, &["w", "--queue", "canary", "--rate", "5"]);
    for right in ["--queue canary", "canary --rate", "5", "  --rate\t5 ", "w --queue"] {
        assert!(arguments(right).means(&process), "{right}");
    }
    for wrong in [
        "--queue can",
        "queue canary",
        "--queue --rate",
        "--rate 50",
        "canary 5",
        "--queue canary --rate 5 x",
    ] {
        assert!(!arguments(wrong).means(&process), "{wrong}");
    }
}

#[test]
fn a_queue_whose_name_begins_alike_is_another_queue() {
    let process = worker(5000, &["w", "--queue", "canary-2"]);
    assert!(!arguments("--queue canary").means(&process));
    let glued = worker(5001, &["w", "--queue=canary"]);
    assert!(!arguments("--queue canary").means(&glued));
}

#[test]
fn a_selection_of_nothing_but_white_space_means_nobody() {
    assert!(!arguments(" ").means(&worker(5000, &["w"])));
    let command_line = Selection { command_line: Some(" ".into()), ..Selection::default() };
    let mut kernel = worker(5000, &["w"]);
    kernel.arguments.clear();
    assert!(!command_line.means(&kernel));
}

#[test]
fn a_command_line_is_compared_whole() {
    let process = worker(5000, &["w", "--queue", "canary"]);
    let whole = |text: &str| Selection { command_line: Some(text.into()), ..Selection::default() };
    assert!(whole("w --queue canary").means(&process));
    for wrong in ["w", "w --queue", "w --queue canary x", "--queue canary"] {
        assert!(!whole(wrong).means(&process), "{wrong}");
    }
}

#[test]
fn a_control_group_is_neither_its_parent_nor_its_neighbour() {
    let mut process: Process = worker(5000, &["w"]);
    process.cgroups = vec!["/system.slice/pay.service".to_owned()];
    let group = |path: &str| Selection { cgroup: Some(path.into()), ..Selection::default() };
    assert!(group("/system.slice/pay.service").means(&process));
    for wrong in ["/system.slice", "/system.slice/pay.service/a", "/system.slice/pay", "/"] {
        assert!(!group(wrong).means(&process), "{wrong}");
    }
}

#[test]
fn every_given_key_must_hold() {
    let process = worker(5000, &["w", "--queue", "canary"]);
    let both = Selection { arguments: Some("--queue prod".into()), ..name("w") };
    assert!(!both.means(&process));
    let user = Selection { user: Some(1), ..name("w") };
    assert!(!user.means(&process));
    let pid = Selection { pid: Some(5001), ..name("w") };
    assert!(!pid.means(&process));
}
