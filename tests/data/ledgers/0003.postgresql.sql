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
    run_id character varying(12) NOT NULL,
    sample_id bigint NOT NULL,
    repeat integer NOT NULL,
    image character varying(64),
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
COMMENT ON COLUMN public.edits.repeat IS 'from 0';
COMMENT ON COLUMN public.edits.image IS 'the edited image';
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
    batch_size integer NOT NULL
);
COMMENT ON COLUMN public.run_scorers.label IS 'how reports call it; unique in the run';
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
    created_at double precision NOT NULL,
    CONSTRAINT ck_runs_priority CHECK (((priority)::text = ANY ((ARRAY['low'::character varying, 'normal'::character varying, 'high'::character varying])::text[])))
);
COMMENT ON COLUMN public.runs.id IS 'from the benchmark''s and the configuration''s digest';
COMMENT ON COLUMN public.runs.configuration IS 'fully resolved: everything that shapes a result';
CREATE TABLE public.samples (
    id bigint NOT NULL,
    benchmark_id character varying(64) NOT NULL,
    "position" integer NOT NULL,
    key text NOT NULL,
    category text NOT NULL,
    instruction text NOT NULL,
    description text,
    source_image character varying(64) NOT NULL,
    reference_image character varying(64)
);
COMMENT ON COLUMN public.samples."position" IS 'place in the benchmark, from 0';
COMMENT ON COLUMN public.samples.key IS 'the benchmark''s own name of the sample';
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
    edit_id bigint NOT NULL,
    scorer_id bigint NOT NULL,
    value double precision,
    CONSTRAINT ck_scores_attempt CHECK ((attempt <= attempts_allowed)),
    CONSTRAINT ck_scores_claim CHECK ((((state)::text = 'running'::text) = ((owner IS NOT NULL) AND (lease_until IS NOT NULL)))),
    CONSTRAINT ck_scores_claimed CHECK ((((state)::text <> ALL ((ARRAY['running'::character varying, 'done'::character varying])::text[])) OR (attempt > 0))),
    CONSTRAINT ck_scores_failure_kind CHECK ((((state)::text = 'failed'::text) = (failure_kind IS NOT NULL))),
    CONSTRAINT ck_scores_failure_reason CHECK (((failure_kind IS NULL) = (failure_reason IS NULL))),
    CONSTRAINT ck_scores_finished_at CHECK ((((state)::text = ANY ((ARRAY['done'::character varying, 'failed'::character varying, 'cancelled'::character varying])::text[])) = (finished_at IS NOT NULL))),
    CONSTRAINT ck_scores_scale CHECK (((value >= (0)::double precision) AND (value <= (10)::double precision))),
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
COMMENT ON COLUMN public.scores.value IS '0 to 10';
CREATE SEQUENCE public.scores_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.scores_id_seq OWNED BY public.scores.id;
CREATE TABLE public.workers (
    name text NOT NULL,
    process text NOT NULL,
    gpu text NOT NULL,
    health character varying(16) NOT NULL,
    reason text,
    since double precision NOT NULL,
    seen_at double precision NOT NULL,
    CONSTRAINT ck_workers_reason CHECK ((((health)::text = 'sick'::text) = (reason IS NOT NULL)))
);
COMMENT ON COLUMN public.workers.process IS 'the worker''s parent process';
COMMENT ON COLUMN public.workers.gpu IS 'CUDA_VISIBLE_DEVICES; empty: none';
COMMENT ON COLUMN public.workers.reason IS 'why it is sick';
COMMENT ON COLUMN public.workers.since IS 'when it became so';
COMMENT ON COLUMN public.workers.seen_at IS 'its last word';
ALTER TABLE ONLY public.edits ALTER COLUMN id SET DEFAULT nextval('public.edits_id_seq'::regclass);
ALTER TABLE ONLY public.run_scorers ALTER COLUMN id SET DEFAULT nextval('public.run_scorers_id_seq'::regclass);
ALTER TABLE ONLY public.samples ALTER COLUMN id SET DEFAULT nextval('public.samples_id_seq'::regclass);
ALTER TABLE ONLY public.scores ALTER COLUMN id SET DEFAULT nextval('public.scores_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0003');
INSERT INTO public.benchmarks VALUES ('6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa', 'benchmark', 3, 1795951901.366611, true);
INSERT INTO public.edits VALUES (1, 'done', 1, 3, 1795951901.439285, 1795951901.479187, NULL, NULL, 'edit+score-cpu0@host-a', 1795951904.923807, 1795951905.131537, 0.018081348003761377, NULL, NULL, NULL, NULL, 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', '4ff917997ea7', 1, 0, 'd344afb1bf50c6b5479fa0acb64d2858af90da4316b1f4b909daac5858f9528e');
INSERT INTO public.edits VALUES (2, 'done', 1, 3, 1795951901.439285, 1795951901.479187, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.184062, 1795951905.21453, 0.015604714004439302, NULL, NULL, NULL, NULL, 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', '4ff917997ea7', 2, 0, '8e18f07a5cb536cc35a9c73cc9860310302dd99d80bc9b1712615d28e00b3932');
INSERT INTO public.edits VALUES (3, 'done', 1, 3, 1795951901.439285, 1795951901.479187, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.241415, 1795951905.273393, 0.012826210993807763, NULL, NULL, NULL, NULL, 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', '4ff917997ea7', 3, 0, '633bdf8c754d589e82c9ba041e58320ce25fc5a755a0105a66438bf259c4be90');
INSERT INTO public.edits VALUES (4, 'done', 1, 3, 1795951901.439285, 1795951901.479187, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.297473, 1795951905.335059, 0.015408282000862528, NULL, NULL, NULL, NULL, 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', '4ff917997ea7', 1, 1, '7cc9ec51c38d907e0dde407393d48236a1f94ce30ca83b8998677f2bf90d8772');
INSERT INTO public.edits VALUES (5, 'done', 1, 3, 1795951901.439285, 1795951901.479187, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.353617, 1795951905.380357, 0.013416469002550002, NULL, NULL, NULL, NULL, 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', '4ff917997ea7', 2, 1, 'f4696376d61462fe6185a378b1a78fd78594e5bc8d59a5dc7a94529642e57bd4');
INSERT INTO public.edits VALUES (6, 'failed', 1, 3, 1795951901.439285, 1795951901.479187, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.404907, 1795951905.424535, NULL, NULL, 'model', 'simulated: this sample was drawn to fail', NULL, NULL, '4ff917997ea7', 3, 1, NULL);
INSERT INTO public.edits VALUES (7, 'queued', 0, 3, 1795951914.617841, 1795951914.624015, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'b80f098aff35', 1, 0, NULL);
INSERT INTO public.edits VALUES (8, 'queued', 0, 3, 1795951914.617841, 1795951914.624015, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'b80f098aff35', 2, 0, NULL);
INSERT INTO public.edits VALUES (9, 'queued', 0, 3, 1795951914.617841, 1795951914.624015, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'b80f098aff35', 3, 0, NULL);
INSERT INTO public.edits VALUES (10, 'queued', 0, 3, 1795951914.617841, 1795951914.624015, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'b80f098aff35', 1, 1, NULL);
INSERT INTO public.edits VALUES (11, 'queued', 0, 3, 1795951914.617841, 1795951914.624015, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'b80f098aff35', 2, 1, NULL);
INSERT INTO public.edits VALUES (12, 'queued', 0, 3, 1795951914.617841, 1795951914.624015, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'b80f098aff35', 3, 1, NULL);
INSERT INTO public.environments VALUES ('aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', '{"device": "AMD EPYC", "libraries": {"pillow": "13.0.0"}, "model": {}, "python": "3.11.7"}');
INSERT INTO public.run_scorers VALUES (1, '4ff917997ea7', 'strict', '{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}', 2);
INSERT INTO public.run_scorers VALUES (2, '4ff917997ea7', 'kind', '{"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}', 2);
INSERT INTO public.run_scorers VALUES (3, 'b80f098aff35', 'strict', '{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}', 2);
INSERT INTO public.run_scorers VALUES (4, 'b80f098aff35', 'kind', '{"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}', 2);
INSERT INTO public.runs VALUES ('4ff917997ea7', '6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa', '{"editor": {"name": "simulated", "label": "simulated", "options": {"seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "width": 8, "height": 8, "steps": 20, "oom_above": null}}, "scorers": [{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}, {"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}], "repeats": 2, "seed": 0, "limit": null}', 'normal', 1795951901.439285);
INSERT INTO public.runs VALUES ('b80f098aff35', '6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa', '{"editor": {"name": "simulated", "label": "simulated", "options": {"seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "width": 8, "height": 8, "steps": 20, "oom_above": null}}, "scorers": [{"name": "simulated", "label": "strict", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.3, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 5, "batch_speedup": 1.0, "oom_above": null}}, {"name": "simulated", "label": "kind", "options": {"batch_size": 2, "seconds": 0.01, "spread": 0.0, "load_seconds": 0.0, "fail_rate": 0.0, "crash_on": [], "hang_on": [], "cuda_error_on": [], "seed": 0, "batch_speedup": 1.0, "oom_above": null}}], "repeats": 2, "seed": 1, "limit": null}', 'normal', 1795951914.617841);
INSERT INTO public.samples VALUES (1, '6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa', 0, 'rain', '物理', 'add rain', 'a teal square', '06f21cb171f614906b6ae9096d3a7436d9a470aea8bcd2245305b08f728d0fcc', NULL);
INSERT INTO public.samples VALUES (2, '6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa', 1, 'snow', '物理', 'add snow', 'a teal square', '06f21cb171f614906b6ae9096d3a7436d9a470aea8bcd2245305b08f728d0fcc', NULL);
INSERT INTO public.samples VALUES (3, '6fae326d1394b7e4b603eb035dfcc9aed9577b8ab720d398d9b25d8382350ffa', 2, 'crowd', '社会', 'add crowd', 'a teal square', '06f21cb171f614906b6ae9096d3a7436d9a470aea8bcd2245305b08f728d0fcc', NULL);
INSERT INTO public.scores VALUES (1, 'done', 1, 3, 1795951905.131537, 1795951905.131537, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.44251, 1795951905.499943, 0.01091988449843484, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', 1, 1, 4.35);
INSERT INTO public.scores VALUES (3, 'done', 1, 3, 1795951905.21453, 1795951905.21453, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.44251, 1795951905.504359, 0.01091988449843484, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', 2, 1, 9.41);
INSERT INTO public.scores VALUES (2, 'done', 1, 3, 1795951905.131537, 1795951905.131537, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.517343, 1795951905.564809, 0.012082975001248997, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', 1, 2, 1.56);
INSERT INTO public.scores VALUES (4, 'done', 1, 3, 1795951905.21453, 1795951905.21453, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.517343, 1795951905.570255, 0.012082975001248997, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', 2, 2, 7.49);
INSERT INTO public.scores VALUES (5, 'failed', 1, 3, 1795951905.273393, 1795951905.273393, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.615637, 1795951905.65798, NULL, NULL, 'model', 'simulated: this sample was drawn to fail', NULL, NULL, 3, 1, NULL);
INSERT INTO public.scores VALUES (7, 'failed', 1, 3, 1795951905.335059, 1795951905.335059, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.615637, 1795951905.6645, NULL, NULL, 'model', 'simulated: this sample was drawn to fail', NULL, NULL, 4, 1, NULL);
INSERT INTO public.scores VALUES (6, 'done', 1, 3, 1795951905.273393, 1795951905.273393, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.67269, 1795951905.715058, 0.010925263002718566, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', 3, 2, 5.83);
INSERT INTO public.scores VALUES (8, 'done', 1, 3, 1795951905.335059, 1795951905.335059, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.67269, 1795951905.720708, 0.010925263002718566, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', 4, 2, 5.69);
INSERT INTO public.scores VALUES (9, 'done', 1, 3, 1795951905.380357, 1795951905.380357, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.754724, 1795951905.794161, 0.011798872001236305, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', 5, 1, 9.45);
INSERT INTO public.scores VALUES (10, 'done', 1, 3, 1795951905.380357, 1795951905.380357, NULL, NULL, 'edit+score-cpu0@host-a', 1795951905.811664, 1795951905.842197, 0.012704578999546356, NULL, NULL, NULL, '{"simulated": true}', 'aea3577fd05b671042c6b69da355626a361d856a5330d4d7a6631d2a249d7038', 5, 2, 4.35);
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
ALTER TABLE ONLY public.workers
    ADD CONSTRAINT pk_workers PRIMARY KEY (name);
ALTER TABLE ONLY public.edits
    ADD CONSTRAINT uq_edits_run_id_sample_id_repeat UNIQUE (run_id, sample_id, repeat);
ALTER TABLE ONLY public.run_scorers
    ADD CONSTRAINT uq_run_scorers_run_id_label UNIQUE (run_id, label);
ALTER TABLE ONLY public.samples
    ADD CONSTRAINT uq_samples_benchmark_id_category_key UNIQUE (benchmark_id, category, key);
ALTER TABLE ONLY public.samples
    ADD CONSTRAINT uq_samples_benchmark_id_position UNIQUE (benchmark_id, "position");
ALTER TABLE ONLY public.scores
    ADD CONSTRAINT uq_scores_edit_id_scorer_id UNIQUE (edit_id, scorer_id);
CREATE INDEX ix_edits_run_id_state ON public.edits USING btree (run_id, state);
CREATE INDEX ix_edits_state_published_at ON public.edits USING btree (state, published_at);
CREATE INDEX ix_scores_scorer_id_state ON public.scores USING btree (scorer_id, state);
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
