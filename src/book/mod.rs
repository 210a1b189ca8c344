#![doc = include_str!("links.md")]
#![doc = "\n"]
#![doc = include_str!("../../docs/README.md")]

/// A page of the book. The links of `links.md` come first, because the first definition of a link
/// counts: the files of `docs/` link to each other as files, and these pages as items.
///
/// A page of `docs/` links to its pictures. Here they follow the page, because rustdoc has no file to
/// link to. A picture has no blank line, which would end the block of HTML.
macro_rules! pages {
    ($($page:ident = $file:literal: $title:literal $(, $plot:literal: $heading:literal)*;)*) => {$(
        #[doc = concat!($title, "\n\n")]
        #[doc = include_str!("links.md")]
        #[doc = "\n"]
        #[doc = include_str!(concat!("../../docs/", $file))]
        $(
            #[doc = ""]
            #[doc = concat!("## ", $heading)]
            #[doc = ""]
            #[doc = "<div style=\"overflow-x: auto\">"]
            #[doc = include_str!(concat!("../../docs/plots/", $plot))]
            #[doc = "</div>"]
        )*
        pub mod $page {}
    )*};
}

pages! {
    guide = "guide.md": "Everyday tasks, each a whole program.";
    choosing = "choosing.md": "Inline or boxed, capacity, `lag_slack`, gating or not.";
    waking = "waking.md": "How subscribers sleep and wake, and what it costs.";
    lossless = "lossless.md": "Gated rings: publishers wait for subscribers that must not lose a message.";
    guarantees = "guarantees.md": "What holds, and what does not.";
    from_tokio = "from-tokio.md": "Moving from `tokio::sync::broadcast`.";
    faq = "faq.md": "Questions and answers.";
    glossary = "glossary.md": "The terms of this crate.";
    algorithm = "algorithm.md": "The algorithm, word by word, with its invariants.";
    orderings = "orderings.md": "Every atomic operation, and why it has its ordering.";
    copying = "copying.md": "How the bytes of an inline message are copied.";
    boxed = "boxed.md": "Who frees a boxed message, when, and what bounds memory.";
    proofs = "proofs.md": "Each claim, and the command that checks it.";
    architecture = "architecture.md": "A map of the code.";
    benchmarks = "benchmarks.md": "All measurements, with machines, commands and dates.",
        "same-thread-2.svg": "Plot: readers on one thread, two cores",
        "publishers-2.svg": "Plot: publishers, two cores",
        "readers.svg": "Plot: readers, sixteen cores",
        "publishers.svg": "Plot: publishers, sixteen cores",
        "same-thread.svg": "Plot: readers on one thread, sixteen cores",
        "payload-2.svg": "Plot: message size, two cores",
        "payload.svg": "Plot: message size, sixteen cores";
    container_events = "container-events.md": "The bug that this crate comes from.",
        "races.svg": "Picture: the two races, step by step",
        "ring.svg": "Picture: one ring, and a cursor for each client";
}
