//! What the engine promises, through its public door only.
//!
//! The decade of a module's name says what it is about:
//!
//! | names | about |
//! |---|---|
//! | `t10_*` | the smallest topologies, counters, contexts |
//! | `t20_*` | groupings, ports, order |
//! | `t30_*` | acks, tickets, replay |
//! | `t40_*` | fusion |
//! | `t50_*` | faults |
//! | `t60_*` | flow control |
//! | `t70_*` | the life of a topology |
//! | `t90_*` | bugs that were |

mod support;
mod t10_basics;
mod t10_context;
mod t10_metrics;
mod t10_words;
mod t20_groupings;
mod t20_order;
mod t30_bad_input;
mod t30_dedup;
mod t30_expiry;
mod t30_failed_holds;
mod t30_hold_sets;
mod t30_holds;
mod t30_late;
mod t30_open_results;
mod t30_replay;
mod t30_result_worlds;
mod t30_results;
mod t30_tickets;
mod t30_windows;
mod t40_fusion;
mod t50_blame;
mod t50_copies;
mod t50_faults;
mod t50_panics;
mod t50_spout_panics;
mod t50_stuck;
mod t60_concurrent;
mod t60_flow;
mod t70_finish;
mod t70_idle;
mod t70_life;
mod t70_stop;
mod t90_cut;
mod t90_end;
mod t90_keys;
mod t90_more;
mod t90_shelf;
