# What tests need of a stack beyond TCP and UDP over IPv4 and IPv6, by the names that USOCKET_STACK_LACKS has
# (src/sys/<stack>/stack.cmake): patterns as --gtest_filter has them. STACK-1.
set(USOCKET_NEEDS_unix
    Addresses.ADDR_4_* Addresses.ADDR_5_takes_each_family_apart Text.ADDR_9_an_address_and_its_text
    *AF_UNIX* Connect.CPP_4_errors_name_the_endpoint Connect.CPP_4_to_an_address_of_any_family
    Sockets.SOCK_1_impossible_combinations_say_the_systems_errno Sockets.SOCK_1_type_selects_the_protocol
    Sockets.SOCK_1_made_in_a_socket_that_is_there
    Sockets.SOCK_2_a_broken_connection_is_EPIPE_and_no_signal Sockets.SOCK_3_closed_every_method_is_EBADF
    Sockets.SOCK_8_describe_escapes_paths Sockets.SOCK_8_pairs
    Timeouts.TIME_2_a_datagram_waits_for_room Close.Sock4RacesWithConnect
    Addresses.ADDR_8_parts_make_the_address_again Poll1.OneShotStillTellsOfTheEndOnce
    Addresses.ADDR_6_a_path_is_as_long_as_the_system_allows Packets.*
    Splice/Splice.CPP_4_so_is_a_stream_that_is_not_connected/unix_*
    Calls/CloseEnds.*/connect_unix_* Calls/CloseEnds.*/accept_unix_*
    Calls/CloseEnds.*/*_unix_dgram_* Calls/CloseEnds.*/*_unix_seqpacket_*
    Exposing.SOCK_4_close_ends_a_recv_on_netlink HoldersUnix.* MarksUnix.* UnreadUnix.*)
set(USOCKET_NEEDS_fork
    Families/Fork.* ForkListener.* ForkServer.* Leaks.Sock3NoDescriptorIsLeftOpen Families/SystemCalls.*
    */Holders.TIME_6_a_child_does_not_go_on_with_its_parents_wait/*)
set(USOCKET_NEEDS_files
    Cancelling.SOCK_4_a_close_ends_the_call_of_a_cancelled_thread Cancelling.SOCK_4_a_server_and_what_it_calls_go_on
    SendFile/* SendFiles.* Calls/Reuse.* Reuse.* Close.Sock4FromSeveralThreadsAtOnce StaleDuplicate.* PollGone.*
    Poll1.OneShotTellsWhoeverIsBesideNoLess Poll6.WithoutADescriptorForItsBellItStillWaits
    Poll1.RegisteringADescriptorAgainChangesMaskAndUserdata Poll1.SeparateRegistrationsOfOneDescriptor
    Serving.SOCK_3_without_room_it_rests_for_a_second
    Poll1.UnregisteredIsNotReported Poll2.ARegularFileIsAlwaysReady Poll2.UnknownIsEnoent
    Poll3.DescriptorReusedAfterClose Poll3.ErrorComesUnasked Poll3.HangUpComesUnasked
    PollThreads.Poll7TheNumberIsGivenOutDuringAWait PollWaiters.Poll6AllAtOnce PollWaiters.Poll7*
    Sockets.SOCK_3_out_of_descriptors Sockets.SOCK_8_adopt_asks_the_system_what_it_is
    Sockets.SOCK_8_detach_gives_the_descriptor_away)
set(USOCKET_NEEDS_ancillary
    Ancillary.* Messages.SOCK_10_a_datagram_has_a_sender_and_its_interface
    Messages.SOCK_10_descriptors_pass_and_are_close_on_exec Messages.SOCK_10_descriptors_that_are_of_no_use_are_closed
    Messages.SOCK_10_MSG_WAITALL_ends_where_descriptors_come)
set(USOCKET_NEEDS_options
    */Message.SOCK_10_TIME_6_MSG_WAITALL_with_MSG_TRUNC_that_fails_loses_nothing/*
    HoldersTcp.TIME_5_TIME_6_a_handler_that_raises_as_the_deadline_passes
    HoldersTcp.TIME_9_a_long_read_through_a_small_queue_makes_no_pauses
    Listen.CPP_4_options Options.CPP_4_of_any_trivially_copyable_type
    Sockets.SOCK_1_IPPROTO_SEC_is_a_TCP_socket_that_remembers_it
    Sockets.SOCK_5_backlog_by_default_and_below_zero Constants.NAME_3_sorted_and_unique
    Constants.NAME_3_values_are_the_headers Constants.NAME_3_every_define_of_the_headers_is_there
    */Holders.TIME_9_a_small_queue_makes_progress_and_is_not_deaf/*
    */Holders.TIME_9_lines_are_right_though_another_holder_moves_the_peeks/*
    */Holders.STRM_5_lines_are_right_though_peeks_look_elsewhere/*)
set(USOCKET_NEEDS_errors
    MarksTcp.* Unread/Unread.TIME_8_an_empty_error_queue_is_not_waited_for/tcp
    Splicing.CPP_4_STRM_1_TIME_6_an_urgent_byte_is_not_the_end
    */Passed.STRM_5_a_mark_that_was_noted_and_passed_counts_no_more/*
    */Inline.STRM_5_TIME_6_SO_OOBINLINE_moves_no_others/*)
set(USOCKET_NEEDS_services
    Resolving.GAI_1_each_argument_restricts Resolving.GAI_1_the_order_is_the_systems
    Resolving.GAI_2_ports_as_numbers_digits_names_and_none
    Resolving.GAI_3_failures_are_the_negative_code_and_the_systems_message
    Signals.GAI_4_a_host_that_gives_up_ends_the_wait_for_a_name)
set(USOCKET_NEEDS_loopback
    Connect.GAI_5_from_a_source_address Text.ADDR_8_a_zone_is_a_scopeid
    Groups.CPP_4_joins_and_leaves_a_multicast_group)
set(USOCKET_NEEDS_nonblock
    Sockets.SOCK_1_a_type_may_ask_for_non_blocking Sockets.SOCK_1_every_combination_is_the_systems_verdict
    */Holders.TIME_9_nobody_goes_deaf_whatever_another_holder_sets/*)
set(USOCKET_NEEDS_layout
    Addresses.ADDR_1_holds_the_native_sockaddr Addresses.ADDR_5_any_other_family_is_its_bytes
    Addresses.ADDR_6_a_socket_refuses_malformed_addresses Addresses.ADDR_6_native_bytes_of_every_length
    Text.ADDR_9_any_bytes_that_are_an_address_have_a_text_that_gives_them_again)

# What they need of the machine below, where it is not the whole of Linux: the rows of tests/platforms/rows.py say what
# theirs has not (CPP-6).
#   fullness   how full a queue is: POSIX alone does not tell, and a piece takes a second
#   tcp_info   TCP_INFO and SO_MEMINFO, by which a read of a descriptor that others share sees that it must make room
#   ptrace     tracing a child
#   multicast  MCAST_JOIN_GROUP
#   exec       a program that starts itself again
set(USOCKET_NEEDS_fullness
    */Holders.TIME_9_a_small_queue_makes_progress_and_is_not_deaf/tcp
    HoldersTcp.TIME_9_a_long_read_through_a_small_queue_makes_no_pauses
    HoldersUnix.TIME_9_STRM_1_reads_with_short_timeouts_get_on_though_the_queue_is_full)
set(USOCKET_NEEDS_tcp_info
    */Holders.TIME_6_a_child_does_not_go_on_with_its_parents_wait/tcp
    HoldersTcp.TIME_9_a_long_read_through_a_small_queue_makes_no_pauses
    Options.CPP_4_of_any_trivially_copyable_type Sockets.SOCK_5_backlog_by_default_and_below_zero
    */Holders.STRM_5_an_unfinished_read_takes_nothing/tcp
    */Holders.TIME_9_a_small_queue_makes_progress_and_is_not_deaf/tcp
    */Message.SOCK_10_TIME_9_MSG_WAITALL_on_a_shared_descriptor/tcp
    */Stream.Time6ReadableForAForeignPollAfterATimeout/tcp */Stream.Strm5TheDescriptorShowsExactlyWhatIsLeft/tcp
    */Stream.Strm5ASecondSocketShowsExactlyWhatIsLeft/tcp)
set(USOCKET_NEEDS_ptrace */SystemCalls.*)
set(USOCKET_NEEDS_multicast Groups.CPP_4_joins_and_leaves_a_multicast_group)
set(USOCKET_NEEDS_exec PollThreadsDeathTest.*)

set(USOCKET_LEFT_OUT_TESTS)
foreach(lack IN LISTS USOCKET_STACK_LACKS USOCKET_TESTS_LACK)
    list(APPEND USOCKET_LEFT_OUT_TESTS ${USOCKET_NEEDS_${lack}})
endforeach()
string(REPLACE ";" ":" USOCKET_LEFT_OUT_TESTS "${USOCKET_LEFT_OUT_TESTS}")
