//! Converts an event into the message that clients receive, and back.

use std::collections::HashMap;
use std::fmt;

use crate::event::{Event, Kind, mix};
use crate::proto::{
    ContainerEventResponse, ContainerMetadata, ContainerState, ContainerStatus, ImageSpec, PodSandboxMetadata,
    PodSandboxState, PodSandboxStatus,
};

/// The annotation of the pod that holds the event's numbers. The whole message is derived from
/// them.
const NUMBERS: &str = "event";
const NAMESPACES: [&str; 4] = ["default", "kube-system", "monitoring", "team-a"];

/// A message with the identity only: the container, its pod, and the kind of the event.
pub fn brief(event: &Event) -> ContainerEventResponse {
    ContainerEventResponse {
        container_id: id(event.pod, event.container),
        container_event_type: event.kind as i32,
        created_at: event.created_at,
        pod_sandbox_status: Some(sandbox(event)),
        containers_statuses: Vec::new(),
        sequence: 0,
        missed: 0,
    }
}

/// A message with labels, annotations and the state of each container of the pod, as a runtime
/// sends it.
pub fn full(event: &Event) -> ContainerEventResponse {
    let mut message = brief(event);
    if let Some(sandbox) = &mut message.pod_sandbox_status {
        sandbox.labels = labels(event, "POD");
        sandbox.annotations.insert("kubernetes.io/config.source".to_owned(), "api".to_owned());
        sandbox.annotations.insert("kubernetes.io/config.seen".to_owned(), event.created_at.to_string());
    }
    message.containers_statuses = (1..=event.containers).map(|container| status(event, container)).collect();
    message
}

/// Why a message is not what was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn(String);

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "torn: {}", self.0)
    }
}

/// Returns the event of a message, which may be full or brief.
///
/// # Errors
///
/// When a part of the message does not follow from the event, or the event is torn.
pub fn verify(message: &ContainerEventResponse) -> Result<Event, Torn> {
    let numbers = message.pod_sandbox_status.as_ref().and_then(|sandbox| sandbox.annotations.get(NUMBERS));
    let event =
        numbers.ok_or_else(|| Torn("the event annotation is missing".to_owned())).and_then(|text| parse(text))?;
    let expected = if message.containers_statuses.is_empty() { brief(&event) } else { full(&event) };
    let expected = ContainerEventResponse { sequence: message.sequence, missed: message.missed, ..expected };
    if *message == expected { Ok(event) } else { Err(Torn(format!("{message:?} does not follow from {event:?}"))) }
}

/// Writes the event's numbers as text for [`parse`].
pub fn numbers(event: &Event) -> String {
    let Event { created_at, pod, container, containers, attempt, kind, seal } = event;
    format!("{created_at}/{pod}/{container}/{containers}/{attempt}/{}/{seal:016x}", kind.step())
}

/// Parses the text of [`numbers`].
pub fn parse(text: &str) -> Result<Event, Torn> {
    let event = parts(text).ok_or_else(|| Torn(format!("{text:?} is not an event")))?;
    if event.is_whole() { Ok(event) } else { Err(Torn(format!("{event:?} has a wrong checksum"))) }
}

fn parts(text: &str) -> Option<Event> {
    let mut parts = text.split('/');
    let event = Event {
        created_at: parts.next()?.parse().ok()?,
        pod: parts.next()?.parse().ok()?,
        container: parts.next()?.parse().ok()?,
        containers: parts.next()?.parse().ok()?,
        attempt: parts.next()?.parse().ok()?,
        kind: *Kind::ALL.get(parts.next()?.parse::<usize>().ok()?)?,
        seal: u64::from_str_radix(parts.next()?, 16).ok()?,
    };
    parts.next().is_none().then_some(event)
}

/// 64 hexadecimal digits, as container runtimes make them.
pub fn id(pod: u64, container: u32) -> String {
    let seed = mix(pod) ^ u64::from(container);
    let [a, b, c, d] = [1, 2, 3, 4].map(|word| mix(seed.wrapping_add(word << 40)));
    format!("{a:016x}{b:016x}{c:016x}{d:016x}")
}

fn uid(pod: u64) -> String {
    let (high, low) = (mix(!pod), mix(pod ^ 0x5555));
    let parts = (high >> 32, high >> 16 & 0xffff, high & 0xfff, 0x8000 | low >> 48 & 0x3fff, low & 0xffff_ffff_ffff);
    format!("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", parts.0, parts.1, parts.2, parts.3, parts.4)
}

fn namespace(pod: u64) -> &'static str {
    NAMESPACES[usize::try_from(pod % 4).expect("less than 4")]
}

fn sandbox(event: &Event) -> PodSandboxStatus {
    let running = event.container != 0 || matches!(event.kind, Kind::Created | Kind::Started);
    let state = if running { PodSandboxState::SandboxReady } else { PodSandboxState::SandboxNotready };
    PodSandboxStatus {
        id: id(event.pod, 0),
        metadata: Some(PodSandboxMetadata {
            name: format!("pod-{}", event.pod),
            uid: uid(event.pod),
            namespace: namespace(event.pod).to_owned(),
            attempt: event.attempt,
        }),
        state: state as i32,
        created_at: event.created_at,
        labels: HashMap::new(),
        annotations: HashMap::from([(NUMBERS.to_owned(), numbers(event))]),
    }
}

fn labels(event: &Event, container: &str) -> HashMap<String, String> {
    [
        ("app.kubernetes.io/name", "web"),
        ("app.kubernetes.io/managed-by", "a-controller"),
        ("io.kubernetes.container.name", container),
        ("io.kubernetes.pod.name", &format!("pod-{}", event.pod)),
        ("io.kubernetes.pod.namespace", namespace(event.pod)),
        ("io.kubernetes.pod.uid", &uid(event.pod)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect()
}

fn status(event: &Event, container: u32) -> ContainerStatus {
    let name = format!("container-{container}");
    let kind = if container == event.container { event.kind } else { Kind::Started };
    let (state, exit_code, reason) = match kind {
        Kind::Created => (ContainerState::ContainerCreated, 0, ""),
        Kind::Started => (ContainerState::ContainerRunning, 0, ""),
        Kind::Stopped | Kind::Deleted => (ContainerState::ContainerExited, 137, "Evicted"),
    };
    let annotations = [
        ("io.kubernetes.container.hash", format!("{:08x}", event.pod)),
        ("io.kubernetes.container.ports", r#"[{"name":"http","containerPort":8080,"protocol":"TCP"}]"#.to_owned()),
        ("io.kubernetes.container.restartCount", event.attempt.to_string()),
        ("io.kubernetes.container.terminationMessagePath", "/dev/termination-log".to_owned()),
        ("io.kubernetes.container.terminationMessagePolicy", "File".to_owned()),
        ("io.kubernetes.pod.terminationGracePeriod", "30".to_owned()),
        (
            "io.kubernetes.container.preStopHandler",
            format!(r#"{{"exec":{{"command":["/bin/drain","--pod","pod-{}","--wait","30s"]}}}}"#, event.pod),
        ),
        ("io.kubernetes.container.environment-digest", format!("sha256:{}", id(event.pod, 1 << 16 | container))),
    ];
    ContainerStatus {
        id: id(event.pod, container),
        metadata: Some(ContainerMetadata { name: name.clone(), attempt: event.attempt }),
        state: state as i32,
        created_at: event.created_at,
        started_at: event.created_at,
        finished_at: if exit_code == 0 { 0 } else { event.created_at },
        exit_code,
        image: Some(ImageSpec { image: "registry.example/team/web:1.27".to_owned() }),
        image_ref: format!("registry.example/team/web@sha256:{}", id(1, 0)),
        reason: reason.to_owned(),
        message: String::new(),
        labels: labels(event, &name),
        annotations: annotations.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        log_path: format!("/var/log/pods/{}_pod-{}_{}/{name}/0.log", namespace(event.pod), event.pod, uid(event.pod)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    fn event(containers: u32) -> Event {
        let (created_at, pod, container) = (1_764_000_000_000_000_000, 7, 1);
        Event { created_at, pod, container, containers, attempt: 0, kind: Kind::Started, seal: 0 }.sealed()
    }

    #[test]
    fn both_forms_are_verified() {
        assert_eq!(verify(&brief(&event(2))), Ok(event(2)));
        assert_eq!(verify(&full(&event(2))), Ok(event(2)));
    }

    #[test]
    fn parts_of_two_messages_are_torn() {
        let mut message = full(&event(2));
        message.container_id = id(8, 1);
        assert!(verify(&message).is_err());
        let mut message = full(&event(2));
        message.containers_statuses.pop();
        assert!(verify(&message).is_err());
        assert!(parse("1/2/3").is_err());
        assert!(parse(&numbers(&Event { pod: 9, ..event(2) })).is_err());
    }

    #[test]
    fn sizes_are_realistic() {
        let size = |message: ContainerEventResponse| message.encoded_len();
        assert!((200..400).contains(&size(brief(&event(1)))), "{}", size(brief(&event(1))));
        assert!((1500..2500).contains(&size(full(&event(1)))), "{}", size(full(&event(1))));
        assert!((11_000..16_000).contains(&size(full(&event(10)))), "{}", size(full(&event(10))));
    }
}
