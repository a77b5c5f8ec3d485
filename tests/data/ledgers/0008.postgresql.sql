SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.benchmarks (
    id character varying(64) NOT NULL,
    name text NOT NULL,
    sample_count integer NOT NULL,
    created_at double precision NOT NULL,
    complete boolean NOT NULL
);
COMMENT ON COLUMN public.benchmarks.id IS 'sha-256 of the samples'' content';
COMMENT ON COLUMN public.benchmarks.complete IS 'every sample is in';
CREATE TABLE public.edits (
    id bigint NOT NULL,
    state character varying(9) NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    attempts_allowed integer DEFAULT 3 NOT NULL,
    not_before double precision NOT NULL,
    published_at double precision,
    owner text,
    lease_until double precision,
    worker text,
    started_at double precision,
    finished_at double precision,
    seconds double precision,
    last_words text,
    failure_kind character varying(24),
    failure_reason text,
    detail json,
    environment character varying(64),
    retried boolean DEFAULT false NOT NULL,
    run_id character varying(12) NOT NULL,
    sample_id bigint NOT NULL,
    repeat integer NOT NULL,
    image character varying(64),
    made_for character varying(12),
    CONSTRAINT ck_edits_attempt CHECK ((attempt <= attempts_allowed)),
    CONSTRAINT ck_edits_claim CHECK ((((state)::text = 'running'::text) = ((owner IS NOT NULL) AND (lease_until IS NOT NULL)))),
    CONSTRAINT ck_edits_claimed CHECK ((((state)::text <> ALL ((ARRAY['running'::character varying, 'done'::character varying])::text[])) OR (attempt > 0))),
    CONSTRAINT ck_edits_digest CHECK ((length((image)::text) = 64)),
    CONSTRAINT ck_edits_failure_kind CHECK ((((state)::text = 'failed'::text) = (failure_kind IS NOT NULL))),
    CONSTRAINT ck_edits_failure_reason CHECK (((failure_kind IS NULL) = (failure_reason IS NULL))),
    CONSTRAINT ck_edits_finished_at CHECK ((((state)::text = ANY ((ARRAY['done'::character varying, 'failed'::character varying, 'cancelled'::character varying])::text[])) = (finished_at IS NOT NULL))),
    CONSTRAINT ck_edits_image CHECK ((((state)::text = 'done'::text) = (image IS NOT NULL))),
    CONSTRAINT ck_edits_state CHECK (((state)::text = ANY ((ARRAY['queued'::character varying, 'running'::character varying, 'done'::character varying, 'failed'::character varying, 'cancelled'::character varying])::text[])))
);
COMMENT ON COLUMN public.edits.attempt IS 'fencing number; only grows';
COMMENT ON COLUMN public.edits.not_before IS 'waits until then';
COMMENT ON COLUMN public.edits.published_at IS 'last message sent; null: a message is owed';
COMMENT ON COLUMN public.edits.owner IS 'the process and delivery that hold the claim';
COMMENT ON COLUMN public.edits.worker IS 'name of the worker of the last attempt';
COMMENT ON COLUMN public.edits.started_at IS 'last claim';
COMMENT ON COLUMN public.edits.seconds IS 'time the model took, loading excluded';
COMMENT ON COLUMN public.edits.last_words IS 'how the last attempt without an outcome ended';
COMMENT ON COLUMN public.edits.detail IS 'what else the model said';
COMMENT ON COLUMN public.edits.environment IS 'where the outcome came about';
COMMENT ON COLUMN public.edits.retried IS 'a person had it done again after it had ended';
COMMENT ON COLUMN public.edits.repeat IS 'from 0';
COMMENT ON COLUMN public.edits.image IS 'the edited image';
COMMENT ON COLUMN public.edits.made_for IS 'the run that the image was made for, where that is another';
CREATE SEQUENCE public.edits_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.edits_id_seq OWNED BY public.edits.id;
CREATE TABLE public.environments (
    id character varying(64) NOT NULL,
    facts json NOT NULL
);
COMMENT ON COLUMN public.environments.id IS 'sha-256 of the facts';
COMMENT ON COLUMN public.environments.facts IS 'machine, software and loaded model: what shapes a result, unasked';
CREATE TABLE public.run_scorers (
    id bigint NOT NULL,
    run_id character varying(12) NOT NULL,
    label text NOT NULL,
    configuration json NOT NULL,
    batch_size integer NOT NULL,
    repeat integer DEFAULT 0 NOT NULL,
    scale_min double precision DEFAULT 0 NOT NULL,
    scale_max double precision DEFAULT 10 NOT NULL
);
COMMENT ON COLUMN public.run_scorers.label IS 'how reports call it';
COMMENT ON COLUMN public.run_scorers.repeat IS 'how often it was asked before, from 0';
COMMENT ON COLUMN public.run_scorers.scale_min IS 'the least score it can give';
COMMENT ON COLUMN public.run_scorers.scale_max IS 'the best one';
CREATE SEQUENCE public.run_scorers_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.run_scorers_id_seq OWNED BY public.run_scorers.id;
CREATE TABLE public.runs (
    id character varying(12) NOT NULL,
    benchmark_id character varying(64) NOT NULL,
    configuration json NOT NULL,
    priority character varying(8) NOT NULL,
    editing character varying(64),
    created_at double precision NOT NULL,
    prompts json,
    CONSTRAINT ck_runs_priority CHECK (((priority)::text = ANY ((ARRAY['low'::character varying, 'normal'::character varying, 'high'::character varying])::text[])))
);
COMMENT ON COLUMN public.runs.id IS 'from the benchmark''s and the configuration''s digest';
COMMENT ON COLUMN public.runs.configuration IS 'fully resolved: everything that shapes a result';
COMMENT ON COLUMN public.runs.editing IS 'sha-256 of editor and seed: runs alike share edits; null: with no other run';
COMMENT ON COLUMN public.runs.prompts IS 'the benchmark''s own prompts by category, for judges asked later';
CREATE TABLE public.samples (
    id bigint NOT NULL,
    benchmark_id character varying(64) NOT NULL,
    "position" integer NOT NULL,
    key text NOT NULL,
    category text NOT NULL,
    instruction text NOT NULL,
    description text,
    source_image character varying(64) NOT NULL,
    reference_image character varying(64),
    reference_text text,
    more_sources text DEFAULT ''::text NOT NULL,
    fields json
);
COMMENT ON COLUMN public.samples."position" IS 'place in the benchmark, from 0';
COMMENT ON COLUMN public.samples.key IS 'the benchmark''s own name of the sample';
COMMENT ON COLUMN public.samples.reference_text IS 'what a right result is, in words';
COMMENT ON COLUMN public.samples.more_sources IS 'digests, a space between';
COMMENT ON COLUMN public.samples.fields IS 'what else the benchmark says of it, by name, for rubrics';
CREATE SEQUENCE public.samples_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.samples_id_seq OWNED BY public.samples.id;
CREATE TABLE public.scores (
    id bigint NOT NULL,
    state character varying(9) NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    attempts_allowed integer DEFAULT 3 NOT NULL,
    not_before double precision NOT NULL,
    published_at double precision,
    owner text,
    lease_until double precision,
    worker text,
    started_at double precision,
    finished_at double precision,
    seconds double precision,
    last_words text,
    failure_kind character varying(24),
    failure_reason text,
    detail json,
    environment character varying(64),
    retried boolean DEFAULT false NOT NULL,
    edit_id bigint NOT NULL,
    scorer_id bigint NOT NULL,
    value double precision,
    CONSTRAINT ck_scores_attempt CHECK ((attempt <= attempts_allowed)),
    CONSTRAINT ck_scores_claim CHECK ((((state)::text = 'running'::text) = ((owner IS NOT NULL) AND (lease_until IS NOT NULL)))),
    CONSTRAINT ck_scores_claimed CHECK ((((state)::text <> ALL ((ARRAY['running'::character varying, 'done'::character varying])::text[])) OR (attempt > 0))),
    CONSTRAINT ck_scores_failure_kind CHECK ((((state)::text = 'failed'::text) = (failure_kind IS NOT NULL))),
    CONSTRAINT ck_scores_failure_reason CHECK (((failure_kind IS NULL) = (failure_reason IS NULL))),
    CONSTRAINT ck_scores_finished_at CHECK ((((state)::text = ANY ((ARRAY['done'::character varying, 'failed'::character varying, 'cancelled'::character varying])::text[])) = (finished_at IS NOT NULL))),
    CONSTRAINT ck_scores_scale CHECK (((value >= (0)::double precision) AND (value <= (100)::double precision))),
    CONSTRAINT ck_scores_state CHECK (((state)::text = ANY ((ARRAY['queued'::character varying, 'running'::character varying, 'done'::character varying, 'failed'::character varying, 'cancelled'::character varying])::text[]))),
    CONSTRAINT ck_scores_value CHECK ((((state)::text = 'done'::text) = (value IS NOT NULL)))
);
COMMENT ON COLUMN public.scores.attempt IS 'fencing number; only grows';
COMMENT ON COLUMN public.scores.not_before IS 'waits until then';
COMMENT ON COLUMN public.scores.published_at IS 'last message sent; null: a message is owed';
COMMENT ON COLUMN public.scores.owner IS 'the process and delivery that hold the claim';
COMMENT ON COLUMN public.scores.worker IS 'name of the worker of the last attempt';
COMMENT ON COLUMN public.scores.started_at IS 'last claim';
COMMENT ON COLUMN public.scores.seconds IS 'time the model took, loading excluded';
COMMENT ON COLUMN public.scores.last_words IS 'how the last attempt without an outcome ended';
COMMENT ON COLUMN public.scores.detail IS 'what else the model said';
COMMENT ON COLUMN public.scores.environment IS 'where the outcome came about';
COMMENT ON COLUMN public.scores.retried IS 'a person had it done again after it had ended';
COMMENT ON COLUMN public.scores.value IS 'on the scorer''s scale';
CREATE SEQUENCE public.scores_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.scores_id_seq OWNED BY public.scores.id;
CREATE TABLE public.timings (
    model character varying(64) NOT NULL,
    seconds double precision,
    jobs integer DEFAULT 0 NOT NULL,
    load_seconds double precision,
    measured_at double precision NOT NULL
);
COMMENT ON COLUMN public.timings.model IS 'sha-256 of stage, name and options';
COMMENT ON COLUMN public.timings.seconds IS 'what one edit, or one score in a full batch, took lately, on average';
COMMENT ON COLUMN public.timings.jobs IS 'how many were measured; 0: part of a batch';
COMMENT ON COLUMN public.timings.load_seconds IS 'what it took lately to make it resident';
CREATE TABLE public.workers (
    name text NOT NULL,
    process text NOT NULL,
    gpu text NOT NULL,
    health character varying(16) NOT NULL,
    reason text,
    since double precision NOT NULL,
    seen_at double precision NOT NULL,
    stages text DEFAULT ''::text NOT NULL,
    stage character varying(5),
    run_id character varying(12),
    ready_at double precision,
    idle boolean DEFAULT false NOT NULL,
    pace double precision DEFAULT 1.0 NOT NULL,
    CONSTRAINT ck_workers_reason CHECK ((((health)::text = 'sick'::text) = (reason IS NOT NULL)))
);
COMMENT ON COLUMN public.workers.process IS 'the worker''s parent process';
COMMENT ON COLUMN public.workers.gpu IS 'CUDA_VISIBLE_DEVICES; empty: none';
COMMENT ON COLUMN public.workers.reason IS 'why it is sick';
COMMENT ON COLUMN public.workers.since IS 'when it became so';
COMMENT ON COLUMN public.workers.seen_at IS 'its last word';
COMMENT ON COLUMN public.workers.stages IS 'its queues, as in `edit,score`';
COMMENT ON COLUMN public.workers.stage IS 'the one it serves now; null: none yet';
COMMENT ON COLUMN public.workers.run_id IS 'the run it serves now';
COMMENT ON COLUMN public.workers.ready_at IS 'when its model is there and its job done, as far as it can tell';
COMMENT ON COLUMN public.workers.idle IS 'found nothing to do, and waits';
COMMENT ON COLUMN public.workers.pace IS 'jobs it does while others do one';
ALTER TABLE ONLY public.edits ALTER COLUMN id SET DEFAULT nextval('public.edits_id_seq'::regclass);
ALTER TABLE ONLY public.run_scorers ALTER COLUMN id SET DEFAULT nextval('public.run_scorers_id_seq'::regclass);
ALTER TABLE ONLY public.samples ALTER COLUMN id SET DEFAULT nextval('public.samples_id_seq'::regclass);
ALTER TABLE ONLY public.scores ALTER COLUMN id SET DEFAULT nextval('public.scores_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0008');
INSERT INTO public.benchmarks VALUES ('6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa', 'benchmark', 3, 1795963306.364411, true);
INSERT INTO public.edits VALUES (1, 'done', 1, 3, 1795963306.828212, 1795963307.111871, NULL, NULL, 'edit+score-cpu0@host-a', 1795963326.193102, 1795963326.995179, 0.027710042006219737, NULL, NULL, NULL, NULL, 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, '99bf0d64316c', 1, 0, 'd344afb1bf50c6b5479fa0acb64d2858af90da4316b1f4b909daac5858f9528e', NULL);
INSERT INTO public.edits VALUES (2, 'done', 1, 3, 1795963306.828212, 1795963307.111871, NULL, NULL, 'edit+score-cpu0@host-a', 1795963326.862552, 1795963327.366468, 0.019322109001222998, NULL, NULL, NULL, NULL, 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, '99bf0d64316c', 3, 0, '633bdf8c754d589e82c9ba041e58320ce25fc5a755a0105a66438bf259c4be90', NULL);
INSERT INTO public.edits VALUES (3, 'done', 1, 3, 1795963306.828212, 1795963307.111871, NULL, NULL, 'edit+score-cpu0@host-a', 1795963326.987703, 1795963327.366468, 0.015545625996310264, NULL, NULL, NULL, NULL, 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, '99bf0d64316c', 2, 0, '8e18f07a5cb536cc35a9c73cc9860310302dd99d80bc9b1712615d28e00b3932', NULL);
INSERT INTO public.edits VALUES (4, 'done', 1, 3, 1795963306.828212, 1795963307.111871, NULL, NULL, 'edit+score-cpu0@host-a', 1795963327.048289, 1795963327.366468, 0.02157931198598817, NULL, NULL, NULL, NULL, 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, '99bf0d64316c', 1, 1, '7cc9ec51c38d907e0dde407393d48236a1f94ce30ca83b8998677f2bf90d8772', NULL);
INSERT INTO public.edits VALUES (5, 'failed', 1, 3, 1795963306.828212, 1795963307.111871, NULL, NULL, 'edit+score-cpu0@host-a', 1795963327.084074, 1795963327.366468, NULL, NULL, 'model', 'simulated: this sample was drawn to fail', NULL, NULL, false, '99bf0d64316c', 3, 1, NULL, NULL);
INSERT INTO public.edits VALUES (6, 'done', 1, 3, 1795963306.828212, 1795963307.111871, NULL, NULL, 'edit+score-cpu0@host-a', 1795963327.145769, 1795963327.687658, 0.01468078899779357, NULL, NULL, NULL, NULL, 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, '99bf0d64316c', 2, 1, 'f4696376d61462fe6185a378b1a78fd78594e5bc8d59a5dc7a94529642e57bd4', NULL);
INSERT INTO public.edits VALUES (7, 'queued', 0, 3, 1795963359.7624, 1795963360.049149, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '207e79587d24', 1, 0, NULL, NULL);
INSERT INTO public.edits VALUES (8, 'queued', 0, 3, 1795963359.7624, 1795963360.049149, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '207e79587d24', 3, 0, NULL, NULL);
INSERT INTO public.edits VALUES (9, 'queued', 0, 3, 1795963359.7624, 1795963360.049149, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '207e79587d24', 2, 0, NULL, NULL);
INSERT INTO public.edits VALUES (10, 'queued', 0, 3, 1795963359.7624, 1795963360.049149, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '207e79587d24', 1, 1, NULL, NULL);
INSERT INTO public.edits VALUES (11, 'queued', 0, 3, 1795963359.7624, 1795963360.049149, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '207e79587d24', 3, 1, NULL, NULL);
INSERT INTO public.edits VALUES (12, 'queued', 0, 3, 1795963359.7624, 1795963360.049149, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '207e79587d24', 2, 1, NULL, NULL);
INSERT INTO public.environments VALUES ('aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', '{"device": "AMD EPYC", "libraries": {"pillow": "13.0.0"}, "model": {}, "python": "3.11.7"}');
INSERT INTO public.run_scorers VALUES (1, '99bf0d64316c', 'strict', '{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}', 2, 0, 0, 10);
INSERT INTO public.run_scorers VALUES (2, '99bf0d64316c', 'kind', '{"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}', 2, 0, 0, 10);
INSERT INTO public.run_scorers VALUES (3, '207e79587d24', 'strict', '{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}', 2, 0, 0, 10);
INSERT INTO public.run_scorers VALUES (4, '207e79587d24', 'kind', '{"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}', 2, 0, 0, 10);
INSERT INTO public.runs VALUES ('99bf0d64316c', '6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa', '{"editor": {"name": "simulated", "label": "simulated", "options": {"seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "width": 8, "height": 8, "steps": 20, "oom_above": null}}, "scorers": [{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}, {"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}], "repeats": 2, "seed": 0, "limit": null}', 'normal', 'a84fb47ae4a63278322605f7d59aa72bf348e9ab625bb9982a3215ddd90bf6b8', 1795963306.828212, '{}');
INSERT INTO public.runs VALUES ('207e79587d24', '6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa', '{"editor": {"name": "simulated", "label": "simulated", "options": {"seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "width": 8, "height": 8, "steps": 20, "oom_above": null}}, "scorers": [{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}, {"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "per_pixels": null, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}], "repeats": 2, "seed": 1, "limit": null}', 'normal', '1b8e28f6e253d098bd871883e2a75a4eaade4dde88eb3f3c0ac95e5222824ac5', 1795963359.7624, '{}');
INSERT INTO public.samples VALUES (1, '6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa', 0, 'rain', '物理', 'add rain', 'a teal square', '06f21cb171f614906b6ae9096d3a7436d9a470aea8bcd2245305b08f728d0fcc', NULL, NULL, '', NULL);
INSERT INTO public.samples VALUES (2, '6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa', 1, 'snow', '物理', 'add snow', 'a teal square', '06f21cb171f614906b6ae9096d3a7436d9a470aea8bcd2245305b08f728d0fcc', NULL, NULL, '', NULL);
INSERT INTO public.samples VALUES (3, '6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa', 2, 'crowd', '社会', 'add crowd', 'a teal square', '06f21cb171f614906b6ae9096d3a7436d9a470aea8bcd2245305b08f728d0fcc', NULL, NULL, '', NULL);
INSERT INTO public.scores VALUES (1, 'done', 1, 3, 1795963326.995179, 1795963326.995179, NULL, NULL, 'edit+score-cpu0@host-a', 1795963327.527728, 1795963328.517411, 0.03129735899710795, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, 1, 1, 4.35);
INSERT INTO public.scores VALUES (3, 'failed', 1, 3, 1795963327.366468, 1795963327.366468, NULL, NULL, 'edit+score-cpu0@host-a', 1795963327.527728, 1795963328.517411, NULL, NULL, 'model', 'simulated: this sample was drawn to fail', NULL, NULL, false, 2, 1, NULL);
INSERT INTO public.scores VALUES (5, 'done', 1, 3, 1795963327.366468, 1795963327.366468, NULL, NULL, 'edit+score-cpu0@host-a', 1795963328.286172, 1795963328.659726, 0.017262214998481795, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, 3, 1, 9.41);
INSERT INTO public.scores VALUES (7, 'failed', 1, 3, 1795963327.366468, 1795963327.366468, NULL, NULL, 'edit+score-cpu0@host-a', 1795963328.286172, 1795963328.659726, NULL, NULL, 'model', 'simulated: this sample was drawn to fail', NULL, NULL, false, 4, 1, NULL);
INSERT INTO public.scores VALUES (9, 'done', 1, 3, 1795963327.687658, 1795963327.687658, NULL, NULL, 'edit+score-cpu0@host-a', 1795963328.467722, 1795963329.114244, 0.016690189004293643, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, 6, 1, 9.45);
INSERT INTO public.scores VALUES (2, 'done', 1, 3, 1795963326.995179, 1795963326.995179, NULL, NULL, 'edit+score-cpu0@host-a', 1795963328.662571, 1795963329.611485, 0.03650132050097454, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, 1, 2, 1.56);
INSERT INTO public.scores VALUES (4, 'done', 1, 3, 1795963327.366468, 1795963327.366468, NULL, NULL, 'edit+score-cpu0@host-a', 1795963328.662571, 1795963329.611485, 0.03650132050097454, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, 2, 2, 5.83);
INSERT INTO public.scores VALUES (6, 'done', 1, 3, 1795963327.366468, 1795963327.366468, NULL, NULL, 'edit+score-cpu0@host-a', 1795963329.221899, 1795963330.394926, 0.037654840998584405, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, 3, 2, 7.49);
INSERT INTO public.scores VALUES (8, 'done', 1, 3, 1795963327.366468, 1795963327.366468, NULL, NULL, 'edit+score-cpu0@host-a', 1795963329.221899, 1795963330.394926, 0.037654840998584405, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, 4, 2, 5.69);
INSERT INTO public.scores VALUES (10, 'done', 1, 3, 1795963327.687658, 1795963327.687658, NULL, NULL, 'edit+score-cpu0@host-a', 1795963329.825082, 1795963330.556699, 0.03732560698699672, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', false, 6, 2, 4.35);
INSERT INTO public.timings VALUES ('b6f62ce0c4c1f495b98108521e75a95707d1550782e27ff114823eb4b3dd8944', 0.01976757559750695, 5, 0.20708914700662717, 1795963328.341292);
INSERT INTO public.timings VALUES ('2cfc6adba597403c944cb1b3b2fad8175f3d8cdb60c9ef028edc8aff2050951e', 0.024279786997794872, 2, 0.026460107997991145, 1795963329.379411);
INSERT INTO public.timings VALUES ('508797af49c72d26d9243b74207668f3c4222661877358241f59a3f74a1f8f96', 0.03650132050097454, 1, 0.001594872010173276, 1795963329.379411);
SELECT pg_catalog.setval('public.edits_id_seq', 12, true);
SELECT pg_catalog.setval('public.run_scorers_id_seq', 4, true);
SELECT pg_catalog.setval('public.samples_id_seq', 3, true);
SELECT pg_catalog.setval('public.scores_id_seq', 10, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkey PRIMARY KEY (version_num);
ALTER TABLE ONLY public.benchmarks
    ADD CONSTRAINT pk_benchmarks PRIMARY KEY (id);
ALTER TABLE ONLY public.edits
    ADD CONSTRAINT pk_edits PRIMARY KEY (id);
ALTER TABLE ONLY public.environments
    ADD CONSTRAINT pk_environments PRIMARY KEY (id);
ALTER TABLE ONLY public.run_scorers
    ADD CONSTRAINT pk_run_scorers PRIMARY KEY (id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT pk_runs PRIMARY KEY (id);
ALTER TABLE ONLY public.samples
    ADD CONSTRAINT pk_samples PRIMARY KEY (id);
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT pk_scores PRIMARY KEY (id);
ALTER TABLE ONLY public.timings
    ADD CONSTRAINT pk_timings PRIMARY KEY (model);
ALTER TABLE ONLY public.workers
    ADD CONSTRAINT pk_workers PRIMARY KEY (name);
ALTER TABLE ONLY public.edits
    ADD CONSTRAINT uq_edits_sample_id_run_id_repeat UNIQUE (sample_id, run_id, repeat);
ALTER TABLE ONLY public.run_scorers
    ADD CONSTRAINT uq_run_scorers_run_id_label_repeat UNIQUE (run_id, label, repeat);
ALTER TABLE ONLY public.samples
    ADD CONSTRAINT uq_samples_benchmark_id_category_key UNIQUE (benchmark_id, category, key);
ALTER TABLE ONLY public.samples
    ADD CONSTRAINT uq_samples_benchmark_id_position UNIQUE (benchmark_id, "position");
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT uq_scores_edit_id_scorer_id UNIQUE (edit_id, scorer_id);
CREATE INDEX ix_edits_run_id_state_id ON public.edits USING btree (run_id, state, id);
CREATE INDEX ix_edits_run_id_state_not_before ON public.edits USING btree (run_id, state, not_before) WHERE (((state)::text = 'queued'::text) AND (attempt > 0));
CREATE INDEX ix_edits_state_published_at ON public.edits USING btree (state, published_at);
CREATE INDEX ix_runs_editing ON public.runs USING btree (editing);
CREATE INDEX ix_samples_benchmark_id ON public.samples USING btree (benchmark_id) WHERE (more_sources <> ''::text);
CREATE INDEX ix_scores_scorer_id_state_id ON public.scores USING btree (scorer_id, state, id);
CREATE INDEX ix_scores_scorer_id_state_not_before ON public.scores USING btree (scorer_id, state, not_before) WHERE (((state)::text = 'queued'::text) AND (attempt > 0));
CREATE INDEX ix_scores_state_published_at ON public.scores USING btree (state, published_at);
ALTER TABLE ONLY public.edits
    ADD CONSTRAINT fk_edits_environment FOREIGN KEY (environment) REFERENCES public.environments(id);
ALTER TABLE ONLY public.edits
    ADD CONSTRAINT fk_edits_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.edits
    ADD CONSTRAINT fk_edits_sample_id FOREIGN KEY (sample_id) REFERENCES public.samples(id);
ALTER TABLE ONLY public.run_scorers
    ADD CONSTRAINT fk_run_scorers_run_id FOREIGN KEY (run_id) REFERENCES public.runs(id);
ALTER TABLE ONLY public.runs
    ADD CONSTRAINT fk_runs_benchmark_id FOREIGN KEY (benchmark_id) REFERENCES public.benchmarks(id);
ALTER TABLE ONLY public.samples
    ADD CONSTRAINT fk_samples_benchmark_id FOREIGN KEY (benchmark_id) REFERENCES public.benchmarks(id);
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT fk_scores_edit_id FOREIGN KEY (edit_id) REFERENCES public.edits(id);
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT fk_scores_environment FOREIGN KEY (environment) REFERENCES public.environments(id);
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT fk_scores_scorer_id FOREIGN KEY (scorer_id) REFERENCES public.run_scorers(id);
