-- claim: it drops whatever the role owns, and nothing here says what that is (squawk 2.70 finds
--   nothing)
-- database: postgres-15
-- expect: not-evaluated
DROP OWNED BY reporting;
