/* The two messages of asynchronous pull (pull.h): an extension of ours that a platform must agree to, not of the standard. They stand
 * beside the tables of message.h: no mapping reshapes them and nothing of them is recorded, for they carry whole envelopes and tokens.
 *
 *   query_pending_requests       we ask: which of your requests wait for this station?
 *     MaxRequests, MaxBytes      at most so many, at most so many bytes of envelopes together
 *     answer: PendingRequests[]
 *       RequestID                its own number for it, 1..64 visible characters; the answer comes back under it
 *       Interface                what it would have called: "query_start_charge"
 *       Authorization            the header that it would have sent, "Bearer ..."; without it for query_token
 *       Envelope                 the body that it would have posted, as text: OperatorID, Data, TimeStamp, Seq, Sig
 *   notification_request_answer  we tell, one at a time: what we would have answered
 *     RequestID, Interface
 *     HttpStatus                 200; 404 no such interface, 413 envelope too long, 500 our own trouble: Envelope is "" then
 *     Envelope                   the body that we would have answered, as text: Ret, Msg, Data, Sig
 *     answer: SuccStat           0 taken, 1 of no use any more. Anything else is no acknowledgement */
#ifndef FC_UPSTREAM_MESSAGE_PULL_H
#define FC_UPSTREAM_MESSAGE_PULL_H

#include "upstream/message.h"

extern const struct message message_pull_fetch;  /* query_pending_requests */
extern const struct message message_pull_answer; /* notification_request_answer */

#endif
