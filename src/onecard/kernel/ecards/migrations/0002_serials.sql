-- Serials index the day's status list, so they are dense and stay within 24 bits (docs: the code format).
CREATE SEQUENCE ecards_serial_seq AS integer MINVALUE 0 MAXVALUE 16777215 START 0 NO CYCLE;
-- The same of paper codes, which have a list of their own.
CREATE SEQUENCE ecards_paper_serial_seq AS integer MINVALUE 0 MAXVALUE 16777215 START 0 NO CYCLE;
