# What Backstop loads into pt-online-schema-change (`--plugin`): it tells how far the copy is, waits
# where it is asked to, and before nobody who watches.
#
# Written for 3.2.1 and 3.7.1, whose sources it was read against. The hooks are the tool's own; where
# 3.2.1 has none (between two chunks), its subs are wrapped, and a tool without them is refused.
# It stands beside the files that it reads: all have one beginning, and so no name is quoted here.
package pt_online_schema_change_plugin;

use strict;
use warnings;
use Scalar::Util ();
use Time::HiRes ();

# A supervisor touches its file each second; one that has not for so long is gone.
use constant STALE_SECONDS => 3;
# How often it is looked whether to go on.
use constant LOOK_SECONDS => 0.1;
# A line of how far it is, at most so often: a copy of ten days has a million chunks.
use constant TELL_SECONDS => 1;
# An idle connection is used so often, and a flag so often touched: `/tmp` is swept by age.
use constant KEEP_SECONDS => 20;
# How many attempts to swap the tables is the supervisor's to bound: it closes the gate.
use constant SWAP_TRIES => 100_000;
# The size of a chunk in rows, once somebody has set it.
my $fixed_rows;

my ($beginning) = __FILE__ =~ m/\A(.+)\.plugin\.pm\z/s
   or die "the plugin's name must end in `.plugin.pm`\n";

sub new {
   my ($class, %given) = @_;
   my $self = bless {
      cxn      => $given{cxn},
      aux      => $given{aux_cxn},
      rows     => 0,
      chunks   => 0,
      told     => 0,
      kept     => time(),
      settings => '',
      attempts => 0,
      tuned    => {},
   }, $class;
   for my $needed (
      [ 'NibbleIterator', '_next_boundaries' ], [ __PACKAGE__->tool(), 'osc_retry' ],
      [ __PACKAGE__->tool(), 'exec_nibble' ])
   {
      $needed->[0]->can($needed->[1])
         or die "this pt-online-schema-change has no $needed->[0]::$needed->[1]: it cannot be held\n";
   }
   $self->wrap();
   $self->tell(event => 'loaded', pid => $$, version => $Percona::Toolkit::VERSION);
   $self->tell_sessions();
   return $self;
}

sub tool { return 'pt_online_schema_change' }

# ----------------------------------------------------------------------------------- what is told

sub quoted {
   my ($text) = @_;
   return 'null' unless defined $text;
   utf8::decode($text) unless utf8::is_utf8($text);
   $text =~ s{([^\x20-\x21\x23-\x5b\x5d-\x7e])}{
      my $code = ord $1;
      $code < 0x10000
         ? sprintf('\u%04x', $code)
         : sprintf('\u%04x\u%04x', 0xd7c0 + ($code >> 10), 0xdc00 + ($code & 0x3ff));
   }gesx;
   return qq("$text");
}

# A number is one by its name: a table, too, may be called `2`.
my %is_number = map { $_ => 1 } qw(pid rows chunks estimate chunk_size attempt job ids);

sub json {
   my ($name, $value) = @_;
   return '[' . join(',', map { json($name, $_) } @$value) . ']' if ref $value eq 'ARRAY';
   return $value if $is_number{$name} && defined $value && $value =~ m/\A[0-9]{1,15}\z/;
   return quoted($value);
}

# What cannot be told is waited for: whoever decides by it must not decide by what is old.
sub tell {
   my ($self, @pairs) = @_;
   my @members = ('"at":' . sprintf('%.3f', Time::HiRes::time()));
   while (my ($name, $value) = splice @pairs, 0, 2) {
      push @members, quoted($name) . ':' . json($name, $value);
   }
   my $line = '{' . join(',', @members) . "}\n";
   until ($self->append($line)) {
      # The half of a line that a full disk took is ended, so that the next one is whole.
      $line =~ s/\A\n?/\n/;
      Time::HiRes::sleep(LOOK_SECONDS);
   }
   $self->{told} = Time::HiRes::time();
   return;
}

sub append {
   my ($self, $line) = @_;
   open my $file, '>>', "$beginning.events" or return 0;
   my $wrote = syswrite $file, $line;
   return close($file) && defined $wrote && $wrote == length $line;
}

sub tell_phase {
   my ($self, $phase) = @_;
   $self->{phase} = $phase;
   $self->tell(event => 'phase', phase => $phase, rows => $self->{rows}, chunks => $self->{chunks});
   return;
}

# The tool connects anew at will, so that the numbers that the server gives its sessions change.
sub tell_sessions {
   my ($self) = @_;
   my @ids = map { $_->dbh() ? $_->dbh()->{mysql_thread_id} : () } grep { $_ } @$self{qw(cxn aux)};
   my $ids = join ',', @ids;
   return if $ids eq ($self->{sessions} || '');
   $self->{sessions} = $ids;
   $self->tell(event => 'sessions', ids => \@ids);
   return;
}

# ---------------------------------------------------------------------------------------- waiting

# A file that cannot be looked for counts as there.
sub is_there {
   my ($end) = @_;
   return 1 if lstat "$beginning.$end";
   return $!{ENOENT} ? 0 : 1;
}

sub is_watched {
   my $touched = (Time::HiRes::stat("$beginning.beat"))[9];
   # One from the future is of a clock that was set back: it says nothing.
   return defined $touched && abs(Time::HiRes::time() - $touched) <= STALE_SECONDS;
}

sub reasons {
   my ($where) = @_;
   my @reasons;
   push @reasons, 'postponed' if $where eq 'gate' && is_there('postpone');
   push @reasons, 'paused'    if is_there('pause');
   push @reasons, 'unwatched' unless is_watched();
   return @reasons;
}

# Waits between two chunks, or at the gate before the tables are swapped: no transaction is open then.
sub hold {
   my ($self, $where) = @_;
   my $said = '';
   while (1) {
      $self->tune();
      my @reasons = reasons($where);
      my $now     = join ',', @reasons;
      if ($now ne $said) {
         my $event = $now eq '' ? 'going on' : 'waiting';
         $self->tell(event => $event, where => $where, for => \@reasons, $self->counts());
         $said = $now;
      }
      return if $now eq '' && $where ne 'gate';
      # A swap is not tried with connections that went with the server.
      $self->{kept} = 0 if $now eq '';
      return if $self->keep() && $now eq '';
      Time::HiRes::sleep(LOOK_SECONDS);
   }
}

# Keeps what age would end: connections by `wait_timeout`, files by whoever sweeps the folder. Returns whether all is
# there, as far as it was looked at.
sub keep {
   my ($self) = @_;
   return 1 if time() - $self->{kept} < KEEP_SECONDS && time() >= $self->{kept};
   my $all = 1;
   $self->{kept} = time();
   for my $end (qw(postpone pause settings plugin.pm)) {
      utime undef, undef, "$beginning.$end" if -f "$beginning.$end";
   }
   for my $cxn (grep { $_ } @$self{qw(cxn aux)}) {
      next if $cxn->dbh() && $cxn->dbh()->ping();
      # The triggers are the server's, and follow the table while nobody is connected.
      if (eval { $cxn->connect(); $self->{iterator} && $self->{iterator}->_prepare_sths(); 1 }) {
         $self->tell(event => 'connected again');
      }
      else {
         $self->tell(event => 'not connected', why => "$@");
         $self->{kept} = time() - KEEP_SECONDS + 1;
         $all = 0;
      }
   }
   $self->tell_sessions();
   return $all;
}

# --------------------------------------------------------------------------------------- the copy

sub counts {
   my ($self) = @_;
   return (
      rows       => $self->{rows},
      chunks     => $self->{chunks},
      estimate   => $self->{estimate},
      chunk_size => $self->{chunk_size},
   );
}

# Between two chunks; called by the hook of newer versions, and by the wrapped sub of all.
sub between {
   my ($self, $table) = @_;
   my $chunks = $table->{results} && $table->{results}->{n_chunks} || 0;
   if ($chunks > $self->{chunks}) {
      $self->{chunks} = $chunks;
      $self->{rows} += $table->{row_cnt} if ($table->{row_cnt} || 0) > 0;
      $self->{chunk_size} = $table->{chunk_size};
      my $since = Time::HiRes::time() - $self->{told};
      if ($since >= TELL_SECONDS || $since < 0) {
         $self->tell(event => 'chunk', $self->counts());
      }
   }
   $self->keep();
   $self->tell_sessions();
   $self->hold('chunk');
   return;
}

sub on_copy_rows_after_nibble {
   my ($self, %given) = @_;
   $self->between($given{tbl});
   return;
}

# The number by which a later run takes this one up, where the tool keeps one.
sub tell_job {
   my ($self, $options) = @_;
   return if $self->{job} || !$options->has('history') || !$options->get('history');
   $self->{history} = $options->get('history-table');
   my ($job) = $self->{cxn}->dbh()->selectrow_array("SELECT MAX(job_id) FROM $self->{history}");
   $self->{job} = $job;
   $self->tell(event => 'job', job => $job, resumed => $options->got('resume') ? 'yes' : 'no');
   return;
}

# A chunk locks its rows of the table before it locks anything of the copy.
#
# The tool's one statement takes both row by row, and on a copy with a counter the counter's lock first
# (unless `innodb_autoinc_lock_mode` is 2): a write of the application that has its row waits in a trigger
# for what the chunk has of the copy, and the chunk comes to the row. The server then ends the smaller of the
# two, which is the application's. Of four writers on MariaDB 10.11 it ended 13 of 4,431 writes; 25 of 4,155
# at READ COMMITTED, 28 of 6,048 with chunks of 0.05 s; and with the locks in this order none of 3,748.
sub in_order {
   my ($self, $code, @rest) = @_;
   my ($sql, @values) = @{ $self->{chunk} };
   my $waited = 0;
   while (1) {
      my $dbh   = $self->{cxn}->dbh();
      my $begun = Time::HiRes::time();
      my $time  = eval {
         $dbh->begin_work();
         $dbh->selectrow_array($sql, undef, @values);
         my $locked = Time::HiRes::time() - $begun;
         $self->tell(event => 'going on', where => 'load', for => []) if $waited;
         $waited = 0;
         my $took = $code->(@rest);
         $dbh->commit();
         # What a chunk takes is what the size of the next is made from.
         $took + $locked;
      };
      return $time if defined $time;
      my $error = $@;
      eval { $dbh->rollback() unless $dbh->{AutoCommit} };
      die $error unless $error =~ m/Lock wait timeout exceeded/;
      # A transaction of the application that stays open is no reason to give up, and whoever waits for the
      # rows that are locked here gets them meanwhile.
      $waited = 1;
      $self->tell(event => 'waiting', where => 'load', for => ['throttled'], $self->counts(),
         why => 'a row of the next chunk is locked by another transaction');
      $self->hold('chunk');
      Time::HiRes::sleep(1);
   }
}

# ---------------------------------------------------------------------------------------- settings

# A setting is applied once what it belongs to is there, and told then.
sub tune {
   my ($self) = @_;
   my @stat = Time::HiRes::stat("$beginning.settings") or return;
   my $stamp = join ',', @stat[1, 7, 9];
   if ($stamp ne $self->{settings}) {
      open my $file, '<', "$beginning.settings" or return;
      while (my $line = <$file>) {
         my ($name, $value) = $line =~ m/\A([a-z_]+)=([A-Za-z0-9_.=]+)\n\z/ or next;
         my $known = $self->{tuned}->{$name};
         $self->{wanted}->{$name} = $value unless defined $known && $known eq $value;
      }
      $self->{settings} = $stamp;
   }
   my %apply = (
      chunk_size    => \&set_chunk_size,
      chunk_time    => \&set_chunk_time,
      max_lag       => \&set_max_lag,
      max_load      => \&set_load,
      critical_load => \&set_load,
   );
   for my $name (sort keys %{ $self->{wanted} }) {
      my $value = $self->{wanted}->{$name};
      my $why = $apply{$name} ? eval { $apply{$name}->($self, $value, $name) } : 'there is no such setting';
      $why = "$@" unless defined $why;
      next if $why eq 'later';
      delete $self->{wanted}->{$name};
      $self->{tuned}->{$name} = $value;
      $self->tell(event => $why eq '' ? 'tuned' : 'not tuned', name => $name, value => "$value", why => $why);
   }
   return;
}

sub set_chunk_size {
   my ($self, $rows) = @_;
   my $iterator = $self->{iterator} or return 'later';
   return 'the table fits into one chunk' if $iterator->one_nibble();
   # The tool holds each chunk's estimate against the size that the table's record has.
   $fixed_rows = $self->{table}->{chunk_size} = $self->{chunk_size} = $rows + 0;
   $iterator->set_chunk_size($fixed_rows);
   return '';
}

sub set_chunk_time {
   my ($self, $seconds) = @_;
   my $rate = $self->{table} && $self->{table}->{rate} or return 'later';
   $rate->{target_t} = $seconds + 0;
   undef $fixed_rows;
   return '';
}

sub set_max_lag {
   my ($self, $seconds) = @_;
   my $waiter = $self->{lag_waiter} or return 'later';
   return 'it watches no replica' unless @{ $waiter->{slaves} || $waiter->{replicas} || [] };
   $self->{max_lag} = $seconds + 0;
   return '';
}

sub set_load {
   my ($self, $value, $name) = @_;
   my $waiter = $self->{load_waiter} or return 'later';
   my ($variable, $limit) = split m/=/, $value;
   my $limits = $waiter->{ $name eq 'max_load' ? 'max_val_for' : 'critical_val_for' };
   return "it watches no `$variable`" unless $limits && exists $limits->{$variable};
   $limits->{$variable} = $limit + 0;
   return '';
}

# --------------------------------------------------------------------------------- what is wrapped

sub wrap {
   my ($self) = @_;
   no strict 'refs';
   no warnings 'redefine';
   my $around = sub {
      my ($name, $with) = @_;
      my $inner = defined &$name ? \&$name : return;
      *$name = sub { $with->($inner, @_) };
   };

   $around->('NibbleIterator::_next_boundaries', sub {
      my ($inner, $iterator, @rest) = @_;
      # Weak: the tool destroys its own in an order of its own.
      Scalar::Util::weaken($self->{iterator} = $iterator);
      $self->{estimate} = $iterator->{row_est};
      $self->tell_job($iterator->{OptionParser});
      $self->between($iterator->{tbl});
      return $inner->($iterator, @rest);
   });

   $around->('WeightedAvgRate::update', sub {
      my ($inner, @rest) = @_;
      my $rows = $inner->(@rest);
      return defined $fixed_rows ? $fixed_rows : $rows;
   });

   # The tool waits for a lag or a load with a sub of its own, which keeps its connection.
   my $waits = sub {
      my ($kind, $prepare) = @_;
      return sub {
         my ($inner, $waiter, @rest) = @_;
         my $first = !$self->{$kind};
         Scalar::Util::weaken($self->{$kind} = $waiter);
         $prepare->($waiter) if $first;
         $self->tune();
         if ($first) {
            my $sleep = $waiter->{sleep};
            $waiter->{sleep} = sub {
               $self->{throttled} = 1;
               my $why = $self->{ $kind . '_sees' };
               $self->tell(event => 'waiting', where => 'load', for => ['throttled'], why => $why, $self->counts());
               $self->hold('chunk');
               return $sleep->(@_);
            };
         }
         my @result = $inner->($waiter, @rest);
         $self->tell(event => 'going on', where => 'load', for => [], $self->counts()) if $self->{throttled};
         $self->{throttled} = 0;
         return @result;
      };
   };
   $around->('ReplicaLagWaiter::wait', $waits->('lag_waiter', sub {
      my ($waiter) = @_;
      my $get_lag = $waiter->{get_lag};
      $self->{max_lag} = $waiter->{max_lag};
      # It reads its limit once for each wait; so the limit is held here, and what is below it is 0.
      $waiter->{max_lag} = 0;
      $waiter->{get_lag} = sub {
         my $lag = $get_lag->(@_);
         $self->tune();
         return 0 if defined $lag && $lag <= $self->{max_lag};
         $self->{lag_waiter_sees} = defined $lag
            ? "a replica is $lag s behind, over $self->{max_lag} s"
            : 'the replication of a replica is stopped';
         return $lag;
      };
   }));
   $around->('MySQLStatusWaiter::wait', $waits->('load_waiter', sub {
      my ($waiter) = @_;
      $waiter->{get_status} = sub {
         my ($variable) = @_;
         # Not prepared once: the connection may be another by now.
         my (undef, $value) = $self->{cxn}->dbh()->selectrow_array('SHOW GLOBAL STATUS LIKE ?', undef, $variable);
         my $limit = ($waiter->{max_val_for} || {})->{$variable};
         $self->{load_waiter_sees} = "$variable is $value, at or over $limit"
            if defined $limit && defined $value && $value >= $limit;
         return $value;
      };
   }));

   $around->(tool() . '::exec_nibble', sub {
      my ($inner, %given) = @_;
      my $iterator = $given{NibbleIterator};
      my $head     = 'EXPLAIN SELECT ' . ($iterator->{select} || '');
      my $explain  = $iterator->{explain_nibble_sql};
      # Another form of statement than was read in the source is left as it is.
      return $inner->(%given) unless $iterator->{select} && index($explain, "$head FROM ") == 0;
      my $boundary = $iterator->boundaries();
      local $self->{chunk} = [
         'SELECT COUNT(*)' . substr($explain, length $head),
         @{ $boundary->{lower} || [] }, @{ $boundary->{upper} || [] },
      ];
      return $inner->(%given);
   });

   # Every statement that the tool tries again comes through here.
   $around->(tool() . '::osc_retry', sub {
      my ($inner, %given) = @_;
      my $swaps = ($given{operation} || '') eq 'swap_tables';
      my $code  = $given{code};
      $given{tries} = { %{ $given{tries} || {} }, tries => SWAP_TRIES } if $swaps;
      $given{code} = sub {
         $self->hold('gate') if $swaps;
         $self->tell(event => 'attempt', attempt => ++$self->{attempts}) if $swaps;
         my @result = eval { scalar($self->{chunk} ? $self->in_order($code, @_) : $code->(@_)) };
         if (my $error = $@) {
            $self->{attempts}++ unless $swaps;
            $self->tell(event => 'failed', phase => $self->{phase}, attempt => $self->{attempts}, why => "$error");
            die $error;
         }
         return $result[0];
      };
      return $inner->(%given);
   });
   return;
}

# ------------------------------------------------------------------------------- the other phases

sub init {
   my ($self, %given) = @_;
   $self->{table} = $given{orig_tbl};
   $self->tell_phase('creating the copy');
   return;
}

sub after_create_new_table {
   my ($self, %given) = @_;
   $self->tell(event => 'table', table => $given{new_tbl}->{tbl});
   return;
}

sub before_create_triggers { $_[0]->tell_phase('creating triggers'); return }
sub after_create_triggers  { $_[0]->tell_phase('triggers created');  return }
sub before_copy_rows       { $_[0]->tell_phase('copying');           return }

# Before, not after, the table's own triggers are made on the copy (`--preserve-triggers`) and foreign
# keys point to it, which 3.7.1 does before the swap: what waits here can still be left undone.
sub after_copy_rows {
   my ($self) = @_;
   $self->between($self->{table});
   $self->tell_phase('copied');
   $self->hold('gate');
   return;
}

sub before_swap_tables {
   my ($self) = @_;
   $self->hold('gate');
   $self->{attempts} = 0;
   $self->tell_phase('swapping');
   return;
}

sub after_swap_tables {
   my ($self, %given) = @_;
   $self->tell(event => 'swapped', table => $given{old_tbl} && $given{old_tbl}->{tbl});
   $self->{swapped} = 1;
   $self->{phase}   = 'swapped';
   return;
}

# `--no-drop-triggers` is there so that a run that fails can be taken up; one that succeeded leaves none.
sub before_drop_triggers {
   my ($self, %given) = @_;
   return if !$self->{swapped} || $given{drop_triggers} || !$given{oktorun};
   for my $sql (@{ $given{drop_trigger_sqls} }) {
      eval { $self->{cxn}->dbh()->do($sql); 1 } or $self->tell(event => 'left', what => $sql, why => "$@");
   }
   return;
}

sub before_exit {
   my ($self, %given) = @_;
   my $history = $self->{history};
   if ($self->{swapped} && defined $history) {
      eval { $self->{cxn}->dbh()->do("DROP TABLE $history"); 1 }
         or $self->tell(event => 'left', what => "DROP TABLE $history", why => "$@");
   }
   $self->tell_phase('done');
   return;
}

sub before_die {
   my ($self, %given) = @_;
   $self->tell(event => 'dies', why => $given{exit_status});
   return;
}

1;
