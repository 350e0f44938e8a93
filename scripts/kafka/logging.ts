/** What a server that has started says, on its output too. */
export const STARTED = 'Kafka Server started';

/** The text of log4j2.xml: everything into the file, on the output only what concerns start and end. */
export function log4j2(file: string): string {
  return `<Configuration status="ERROR">
  <Appenders>
    <File name="file" fileName="${file}"><PatternLayout pattern="%d %p [%t] %m (%c)%n%ex"/></File>
    <Console name="console"><PatternLayout pattern="%m%n"/></Console>
  </Appenders>
  <Loggers>
    <Root level="INFO"><AppenderRef ref="file"/></Root>
    <Logger name="kafka.server.KafkaRaftServer" level="INFO"><AppenderRef ref="console"/></Logger>
  </Loggers>
</Configuration>
`;
}
