//! The contract. Each check takes a fresh [`World`](crate::world::World); `conformance!` runs all
//! of them on one engine, so that a second engine is one more line here.

mod clock_change;
mod control;
mod finishing;
mod graph;
mod invalidations;
mod jobs;
mod leases;
mod names;
mod outbox;
mod settling;
mod shared;
mod turns;

macro_rules! conformance {
    ($engine:ident: $($module:ident { $($check:ident)* })*) => {
        mod $engine {
            $(mod $module { $(
                #[test]
                fn $check() {
                    crate::conformance::$module::$check(crate::world::$engine());
                }
            )* })*
        }
    };
}

macro_rules! on {
    ($engine:ident) => {
        conformance! { $engine:
            graph {
                fan_in added_tasks_wait_for_old_and_new wrong_graphs_change_nothing
                completion_is_atomic a_job_is_never_stranded
            }
            jobs {
                enqueued_once cancelled retried_where_it_stood restarted_from_the_beginning only_ended_jobs_are_retried
                found_by_prefix listed swept_once_ended backlog_is_counted paused_and_resumed
            }
            leases {
                told_what_to_do ordered_by_priority_then_age limited_to_kinds heartbeat_extends
                released_all_at_once told_again_how_it_ended told_again_how_the_job_ended
                expired_lease_changes_nothing reaped_lease_changes_nothing
                lost_too_often_is_quarantined released_is_not_counted tokens_rise
                postponed_for_its_holder_alone
            }
            finishing {
                retried_with_back_off_then_quarantined attempts_are_counted_by_cause
                others_try_first rejected outcomes
                ended_job_fences_its_holders told_after_the_end counted_once
            }
            clock_change {
                set_back_what_is_ready_is_claimed set_back_a_delay_is_as_long_as_it_was
                set_back_a_lease_is_as_long_as_it_was set_forward_a_lease_is_kept
                set_back_a_settler_is_replaced_in_time set_back_events_go_out
                set_back_stale_paths_go_out set_back_while_nobody_looked
            }
            turns {
                fewest_leases_first longest_unserved_first priority_before_turns
                waiting_ends_with_work waiting_is_bounded
            }
            settling {
                handed_to_one not_before_its_holders_are_gone
                let_go_with_all
                not_retried_while_it_is_settled retried_when_its_settler_is_gone
            }
            control {
                backlog_by_kind leases_are_listed quarantined_then_retried
                quarantined_then_dropped quarantined_after_the_end
            }
            shared {
                the_first_rendition_decides renditions_are_found_by_place
                the_longest_unused_is_evicted the_first_secret_decides
                a_secret_is_replaced_by_comparison odd_texts_are_kept
            }
            outbox {
                told_of_what_happens told_of_bad_ends said_once nothing_of_what_did_not_happen
                each_hears_what_it_wants claimed_by_one retried_with_back_off_then_dead
                put_off_for_as_long_as_is_asked
                dead_letters_are_retried failures_keep_nobody_waiting forgotten_in_time
            }
            invalidations {
                sent_then_completed the_same_at_every_attempt never_more_than_the_limits
                put_off_for_all somebody_is_warned
            }
            names { assets generations job_asset settings owner_is_named_once adopted_places }
        }
    };
}

on!(sqlite);
on!(postgres);
