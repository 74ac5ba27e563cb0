//! What every implementation of [`Queue`](super::Queue) has to pass: the same cases, by the same names.
//!
//! An implementation brings a [`Factory`] and runs
//! `conformance!(expression that makes a factory)` in its tests; one whose time can be moved by
//! hand adds `conformance_manual_clock!`. Each case has a store of its own.

mod accepting;
mod failing;
mod stage;
mod surviving;
mod timing;
mod working;

pub(crate) use accepting::*;
pub(crate) use failing::*;
pub(crate) use stage::*;
pub(crate) use surviving::*;
pub(crate) use timing::*;
pub(crate) use working::*;

macro_rules! each_case {
    ($factory:expr; $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                crate::kit::queue::conformance::$case(std::sync::Arc::new($factory)).await;
            }
        )*
    };
}

macro_rules! conformance {
    ($factory:expr) => {
        $crate::kit::queue::conformance::each_case! { $factory;
            an_accepted_job_reads_back_as_it_was_sent
            the_same_id_twice_is_one_job
            somebody_elses_job_is_not_found
            a_job_that_waits_can_be_cancelled
            a_delayed_job_can_be_cancelled
            a_dead_job_cannot_be_cancelled
            a_job_being_worked_on_cannot_be_cancelled
            an_owners_jobs_can_be_erased_but_those_being_worked_on
            a_full_queue_says_so_until_there_is_room
            jobs_are_listed_by_age_a_page_at_a_time
            a_list_goes_on_where_it_was_though_the_job_there_is_gone
            a_typed_payload_comes_back_and_a_bad_one_says_where
            a_caller_that_gives_up_breaks_nothing
            thirty_two_producers_lose_nothing_and_nothing_runs_twice
            a_completed_job_is_gone
            urgent_jobs_go_first_and_then_the_oldest
            no_more_run_at_once_than_asked_for
            progress_is_seen_from_outside
            queues_do_not_mix
            the_depth_counts_every_state
            two_consumers_share_the_work
            the_oldest_waiting_is_known_across_priorities
            delayed_jobs_run_in_their_order_and_not_before
            a_pause_is_drawn_from_below_its_bound
            a_failed_attempt_is_repeated
            used_up_attempts_make_a_dead_job_after_its_handler_was_told
            a_fatal_failure_is_not_repeated
            a_panic_is_a_failed_attempt
            a_handler_that_cannot_be_told_is_told_again
            a_dead_job_can_be_retried
            all_dead_jobs_of_a_queue_can_be_retried
            jobs_outlive_a_clean_restart
            a_killed_process_loses_no_job
            a_job_that_kills_its_process_is_not_tried_for_ever
            the_shutdown_lets_jobs_finish
            the_shutdown_hands_back_what_does_not_finish
            a_job_longer_than_its_lease_runs_once
            the_jobs_of_a_dropped_consumer_are_taken_over
        }
    };
}

/// For implementations that take their time from a [`Clock`](crate::kit::clock::Clock) alone.
macro_rules! conformance_manual_clock {
    ($factory:expr) => {
        $crate::kit::queue::conformance::each_case! { $factory;
            an_idle_consumer_is_woken_though_the_clock_stands_still
            the_neighbours_of_a_job_that_kills_its_process_are_spared
            jobs_that_only_ever_crash_together_are_not_tried_for_ever
            a_delayed_job_runs_when_its_time_has_come
            a_failed_attempt_pauses_before_the_next
        }
    };
}

pub(crate) use {conformance, conformance_manual_clock, each_case};
