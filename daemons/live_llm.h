/* live_llm: the rules' summary said by a language model, where an admin named one (llm_url, an OpenAI-compatible address, maybe on this machine).
 * A thread asks; the rules' own words are there before, and stay when the model is slow, wrong or away. Its words are told as they come; when it
 * breaks off the rules' stand there again. The log is cut and redacted first; whole answers are kept by what was asked. */
#ifndef FG_LIVE_LLM_H
#define FG_LIVE_LLM_H

#include "live_hub.h"

struct fg_llm;

enum fg_err fg_llm_start(struct fg_llm **out, struct fg_hub *hub, const char *url, const char *key);
void        fg_llm_stop(struct fg_llm *llm); /**< NULL is none */

/** Ask for words about a project whose rules say `summary`; they come to its page as the model says them, at once when they are known. */
void fg_llm_want(struct fg_llm *llm, const struct fg_project *project, const char *summary);

/** What a job is at, for the question. */
struct fg_llm_state {
	bool over, going, errors, any_done; /**< over: all of it is done */
};

/** The same about another manager's job; `report` of a failure may be "". */
void fg_llm_want_other(struct fg_llm *llm, const char *job, const struct fg_llm_state *state, const char *summary, const char *owner, const char *report);

void fg_llm_round(struct fg_llm *llm); /**< in the hub's thread: give what came */

#endif
