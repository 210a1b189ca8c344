//! Checks the lines that a Python or Node client prints.

use seqcast_cri_events::ledger::Ledger;
use seqcast_cri_events::message;
use seqcast_cri_events::wish::parse_epoch;

/// The account of a client, over all its processes.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) ledger: Ledger,
    pub(crate) connections: u64,
    /// Whether its current process has a stream.
    pub(crate) is_open: bool,
    /// The final status, and the sequence at which the stream ended.
    pub(crate) ended: Option<(String, Option<u64>)>,
    pub(crate) wrong: Option<String>,
}

impl Account {
    /// Checks a line. Keeps the first error.
    pub(crate) fn take(&mut self, line: &str) {
        if self.wrong.is_none()
            && let Err(wrong) = self.check(line)
        {
            self.wrong = Some(format!("{wrong}: {line}"));
        }
    }

    fn check(&mut self, line: &str) -> Result<(), String> {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["opened", epoch, start] => {
                self.connections += 1;
                self.is_open = true;
                let epoch = parse_epoch(epoch).ok_or("not an epoch")?;
                self.ledger.open(epoch, number(start)?).map_err(|fault| fault.to_string())
            }
            ["event", sequence, missed, id, kind, numbers] => {
                let event = message::parse(numbers).map_err(|torn| torn.to_string())?;
                if id != message::id(event.pod, event.container) || number(kind)? != u64::from(event.kind.step()) {
                    return Err("torn".to_owned());
                }
                self.ledger.receive(number(sequence)?, number(missed)?).map_err(|fault| fault.to_string())
            }
            ["ended", code, next, missed, ..] => {
                let next = number(next).ok();
                self.ended = Some((code.to_owned(), next));
                let Some(next) = next else { return Err("ended, but not by the ring".to_owned()) };
                self.ledger.end(next, number(missed)?).map_err(|fault| fault.to_string())
            }
            _ => Err("unknown line".to_owned()),
        }
    }
}

fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("{word:?} is not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use seqcast_cri_events::event::{Event, Kind};

    fn line(sequence: u64, missed: u64) -> String {
        let event =
            Event { created_at: 1, pod: 2, container: 1, containers: 1, attempt: 0, kind: Kind::Stopped, seal: 0 };
        let event = event.sealed();
        format!("event {sequence} {missed} {} 2 {}", message::id(2, 1), message::numbers(&event))
    }

    fn wrong(lines: &[String]) -> Option<String> {
        let mut account = Account::default();
        for line in lines {
            account.take(line);
        }
        account.wrong
    }

    #[test]
    fn accepts_correct_lines_and_rejects_wrong_ones() {
        let opened = "opened 00000000000000aa 5".to_owned();
        let good = [opened.clone(), line(5, 0), line(9, 3), "ended UNAVAILABLE 12 2 the end".to_owned()];
        assert_eq!(wrong(&good), None);
        for bad in [line(6, 0), line(5, 1), line(5, 0).replace(" 2 1/", " 1 1/"), line(5, 0).replace("1/2/", "1/3/")] {
            assert!(wrong(&[opened.clone(), bad.clone()]).is_some(), "{bad}");
        }
        assert!(wrong(&[opened.clone(), line(5, 0), line(5, 0)]).is_some());
        assert!(wrong(&[opened, "ended CANCELLED - - oh".to_owned()]).is_some());
        assert!(wrong(&["what".to_owned()]).is_some());
    }
}
