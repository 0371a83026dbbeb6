//! The collector against endpoints on the loopback: what is kept, and what a failed scrape leaves.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::*;
use crate::frame::{FrameSource, Wanted};
use crate::spec::Selector;
use crate::unit::Span;

/// Keeps everything in memory.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<ScrapeBatch>>>);

impl SampleSink for Kept {
    fn take(&mut self, batch: ScrapeBatch) -> Result<(), SinkError> {
        self.0.lock().unwrap().push(batch);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

impl Kept {
    fn samples(&self, metric: &str) -> Vec<(String, i64, f64)> {
        let batches = self.0.lock().unwrap();
        let all = batches.iter().flat_map(|batch| &batch.samples);
        all.filter(|sample| sample.series.metric == metric)
            .map(|it| (it.series.labels.to_string(), it.at.milliseconds(), it.value))
            .collect()
    }
}

/// Answers every question with what `answer` makes of its number; gives the address.
fn endpoint(answer: impl Fn(usize) -> Vec<u8> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(&answer(number));
        }
    });
    format!("http://{address}/metrics")
}

fn response(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
        .into_bytes()
}

fn page(body: &str) -> Vec<u8> {
    response("200 OK\r\nContent-Type: text/plain; version=0.0.4", body)
}

fn settings(url: &str) -> CollectorSettings {
    let targets = vec![Target::new(url, "shop").unwrap()];
    CollectorSettings::new(targets, Span::from_milliseconds(50))
}

/// Collects until `enough` attempts were made.
fn collect(settings: CollectorSettings, enough: u64) -> (Kept, Collected, Recent) {
    let kept = Kept::default();
    let collector = Collector::start(settings, Box::new(kept.clone())).unwrap();
    for _ in 0..400 {
        if collector.progress().scrapes() >= enough {
            break;
        }
        collector.wait(Span::from_milliseconds(25));
    }
    let recent = collector.latest(Span::from_seconds(60));
    (kept, collector.stop().unwrap(), recent)
}

#[test]
fn samples_carry_the_targets_labels_and_one_moment_per_scrape() {
    let url = endpoint(|number| page(&format!("a_total {number}\nb{{instance=\"x\"}} 2 1500\n")));
    let mut wanted = settings(&url);
    wanted.recent = Span::from_seconds(60);
    let (kept, collected, recent) = collect(wanted, 3);
    let counter = kept.samples("a_total");
    assert!(counter.len() >= 3, "{collected:?}");
    assert_eq!(counter[2].2, 2.0);
    assert!(counter[0].0.contains("job=\"shop\""), "{counter:?}");
    assert!(counter.windows(2).all(|pair| pair[0].1 < pair[1].1), "{counter:?}");
    let other = kept.samples("b");
    assert!(other[0].0.contains("exported_instance=\"x\"") && other[0].1 == 1500, "{other:?}");
    assert!(kept.samples("up").iter().all(|(_, _, value)| *value == 1.0));
    let frame = recent.frame(1, Wanted::from("a_total")).unwrap();
    assert!(frame.series[0].times.len() >= 3);
    assert!(recent.frame(1, Wanted::from("nothing")).unwrap().series.is_empty());
}

#[test]
fn only_wanted_metrics_are_kept() {
    let url = endpoint(|_| page("a 1\nb 2\nc{x=\"1\"} 3\nc{x=\"2\"} 4\n"));
    let mut wanted = settings(&url);
    wanted.keep = Keep::Needed {
        metrics: ["b".to_owned()].into(),
        answers: vec![Selector::parse("c{x=\"2\"}").unwrap()],
    };
    let (kept, _, _) = collect(wanted, 2);
    assert!(kept.samples("a").is_empty() && kept.samples("b").len() >= 2);
    assert!(kept.samples("c").is_empty());
    let answers = kept.samples("c{x=\"2\"}");
    assert!(!answers.is_empty() && answers.iter().all(|(_, _, value)| *value == 4.0));
}

#[test]
fn a_failed_scrape_is_a_gap_with_its_kind_and_up_says_so() {
    type Answer = fn(usize) -> Vec<u8>;
    let cases: [(&str, Answer); 6] = [
        ("status", |_| response("503 Service Unavailable", "busy")),
        ("content_type", |_| response("200 OK\r\nContent-Type: text/html", "<html>")),
        ("malformed", |_| page("a 1\nb one\n")),
        ("too_large", |_| page(&"# a remark\n".repeat(40))),
        ("not_text", |_| {
            let mut answer = page("a{x=\"?\"} 1\n");
            let at = answer.iter().rposition(|byte| *byte == b'?').unwrap();
            answer[at] = 0xff;
            answer
        }),
        ("timeout", |_| {
            thread::sleep(Duration::from_millis(400));
            page("a 1\n")
        }),
    ];
    for (code, answer) in cases {
        let url = endpoint(answer);
        let mut wanted = settings(&url);
        wanted.body_bytes = 300;
        let (kept, collected, _) = collect(wanted, 2);
        let target = &collected.progress.targets[0];
        assert!(target.failures.get(code).is_some_and(|count| *count >= 1), "{code}: {target:?}");
        let up = kept.samples("up");
        assert!(!up.is_empty() && up.iter().all(|(_, _, value)| *value == 0.0), "{code}");
        assert!(kept.samples("a").is_empty(), "{code}: half a page is no page");
    }
}

#[test]
fn a_target_that_is_not_there_is_down_and_the_message_holds_no_secret() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://user:secret@{address}/metrics?token=secret");
    let (kept, collected, _) = collect(settings(&url), 2);
    assert!(!kept.samples("up").is_empty());
    let failing = collected.progress.targets[0].failing.as_ref().unwrap().to_string();
    assert!(failing.contains("failed to ask"), "{failing}");
    assert!(!failing.contains("secret"), "{failing}");
}

#[test]
fn an_exemplar_is_handed_on_once() {
    let url = endpoint(|_| {
        response(
            "200 OK\r\nContent-Type: application/openmetrics-text; version=1.0.0",
            "# TYPE a counter\na_total 1 # {trace_id=\"4bf9\"} 0.5 1.5\n# EOF\n",
        )
    });
    let (kept, _, _) = collect(settings(&url), 3);
    let batches = kept.0.lock().unwrap();
    let exemplars: Vec<&CollectedExemplar> =
        batches.iter().flat_map(|batch| &batch.exemplars).collect();
    assert_eq!(exemplars.len(), 1);
    assert_eq!(exemplars[0].labels.get("trace_id"), "4bf9");
    assert_eq!(exemplars[0].at.milliseconds(), 1500);
}

#[test]
fn samples_that_cannot_be_kept_stop_the_collector_with_the_reason() {
    struct Full;
    impl SampleSink for Full {
        fn take(&mut self, _: ScrapeBatch) -> Result<(), SinkError> {
            Err(SinkError("no space left".into()))
        }
        fn finish(&mut self) -> Result<(), SinkError> {
            Ok(())
        }
    }
    let url = endpoint(|_| page("a 1\n"));
    let collector = Collector::start(settings(&url), Box::new(Full)).unwrap();
    for _ in 0..200 {
        if !collector.wait(Span::from_milliseconds(25)) {
            break;
        }
    }
    assert_eq!(collector.stop().unwrap_err().to_string(), "no space left");
}
